"""What a trial is for, and what became of it."""

from enum import StrEnum


class Phase(StrEnum):
    """What a trial is for."""

    SEARCH = "search"
    CONFIRM = "confirm"  # the shortlist again, on fresh seeds
    FINAL = "final"  # of a fixed arm, or of what was chosen


class Status(StrEnum):
    """What became of a trial. Every status but the first two is terminal: the trial does not go on."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"  # goes on with --resume
    FINISHED = "finished"
    STOPPED = "stopped"  # by ASHA
    DIVERGED = "diverged"  # a loss that is not finite
    FAILED = "failed"  # an error, or a worker that died again and again
    SUPERSEDED = "superseded"  # a run of what an extended search no longer chooses

    @property
    def terminal(self) -> bool:
        """Whether the trial is never gone on with."""
        return self not in (Status.RUNNING, Status.INTERRUPTED)
