"""ASHA (Li et al. 2020, arXiv:1810.05934), fair to slow starters: one rung, after a third of the epochs.

There, trials are compared by RUNG_METRIC (sweeps/record/metrics.py):
docs/early_stopping.md says what comparing them by macro recall would cost. The decisions are those of Ray's
AsyncHyperBandScheduler, with which a test compares them.
"""

import numpy as np

from sweeps.record.metrics import RUNG_METRIC

REDUCTION = 3
RULE = f"the best 1 in {REDUCTION} by {RUNG_METRIC}, after 1 in {REDUCTION} of the epochs"


def rung(epochs: int) -> int:
    """Return the epoch at which trials are compared: a third of the budget, rounded up."""
    return -(-epochs // REDUCTION)


def rungs(epochs: int) -> tuple[int, ...]:
    """Return the epochs at which trials are compared."""
    return (rung(epochs),)


class Rung:
    """The scores of the trials that were compared at one epoch, by trial."""

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}

    def enter(self, trial: str, score: float) -> bool:
        """Take a score in; return whether it is outside the best 1 in REDUCTION of those before it.

        A tie is inside, and so is the first.
        """
        before = list(self.scores.values())
        self.scores[trial] = score
        return bool(before) and bool(score < np.nanpercentile(before, (1 - 1 / REDUCTION) * 100))


class ASHA:
    """One rung an arm: arms that learn slowly would lose their search to the others in a common one.

    Trials go by their key in the results, and one that has entered its rung is not decided on again: a trial
    that was interrupted is the same trial.
    """

    def __init__(self) -> None:
        self._rungs: dict[str, Rung] = {}  # by arm

    def decide(self, trial: str, arm: str, epochs: int, epoch: int, score: float | None) -> bool:
        """Say whether a trial of ``epochs`` epochs is stopped, now that it has reported ``epoch``.

        It enters the rung with its first score there or later; what has none neither enters nor is stopped.
        """
        at, of_arm = rung(epochs), self._rungs.setdefault(arm, Rung())
        # REDUCTION times as late is where a second rung would be: the end.
        if score is None or not at <= epoch < REDUCTION * at or trial in of_arm.scores:
            return False
        return of_arm.enter(trial, score) and epoch < epochs

    def bring_back(
        self, trial: str, arm: str, epochs: int, scores: dict[int, float], last: int, ended: bool
    ) -> None:
        """Bring back a search trial of an earlier session: its scores by epoch, and its last epoch.

        Whether a trial that is not terminal goes on after its last epoch may not have been decided: that is
        left until it reports that epoch again.
        """
        for epoch, score in sorted(scores.items()):
            if ended or epoch < last:
                self.decide(trial, arm, epochs, epoch, score)

    def recorded(self) -> dict[str, dict[str, float]]:
        """Return the scores in every rung, by arm and trial."""
        return {arm: dict(of_arm.scores) for arm, of_arm in self._rungs.items()}
