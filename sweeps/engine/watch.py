"""How long an epoch may take: a trial that hangs must not hold up the sweep."""

import time

from sweeps.terminal.progress import duration

LEAST_SECONDS = 600.0  # of a limit that nobody gave: the first epoch waits for a worker and the data
TIMES_PLANNED = 20.0  # what the plan judges an epoch to take, likewise


def epoch_limits(asked: float | None, costs: dict[str, float]) -> dict[str, float]:
    """Return the seconds that an epoch may take by arm: as asked, or far above the ``costs`` of the plan."""
    return {arm: asked or max(LEAST_SECONDS, TIMES_PLANNED * cost) for arm, cost in costs.items()}


class Watch:
    """Knows when each running trial is to report next.

    Attributes:
        late: the reason, by trial, of those that did not.
    """

    def __init__(self, limits: dict[str, float]):
        """``limits``: seconds by arm."""
        self.limits = limits
        self.expected: dict[str, tuple[float, str]] = {}  # by when, and what is said when it is later
        self.late: dict[str, str] = {}

    def expect(self, trial: str, arm: str, epoch: int) -> None:
        """Begin to wait for a trial's report of an epoch."""
        limit = self.limits[arm]
        reason = f"epoch {epoch} took longer than {duration(limit)} (--epoch-limit)"
        self.expected[trial] = time.monotonic() + limit, reason

    def forget(self, trial: str) -> None:
        """Wait for a trial no longer."""
        self.expected.pop(trial, None)

    def overdue(self, now: float) -> list[str]:
        """Return the trials that have not reported in time, each once."""
        overdue = [trial for trial, (by, _) in self.expected.items() if now >= by]
        self.late |= {trial: self.expected.pop(trial)[1] for trial in overdue}
        return overdue
