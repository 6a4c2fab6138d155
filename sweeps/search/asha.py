"""Early stopping that is fair to slow starters: ASHA (Li et al. 2020, arXiv:1810.05934) with looser rungs.

Trials are compared with those of their arm by RUNG_METRIC (sweeps/record/metrics.py) after 1/18, 1/6 and
1/3 of the epochs. At the first rung little is known: the worse half stops. At the others the best quarter
goes on, and so does whatever may still end up best: that is judged by what trials that have ended gained.
docs/early_stopping.md says what other rules would cost.
"""

import math

import numpy as np

from sweeps.record.metrics import RUNG_METRIC

SHARES = (1 / 18, 1 / 6, 1 / 3)  # of the epochs: the rungs
FIRST, LATER = (
    50,
    75,
)  # percentiles of the scores before: below the first, a trial stops; above the second, none
GAINS = 2.5  # of the mean gain to the end: what a trial may hope for
RULE = f"{RUNG_METRIC} after 1/18, 1/6, 1/3 of the epochs: the best half, then 1/4 or {GAINS} mean gains"


def rungs(epochs: int) -> tuple[int, ...]:
    """Return the epochs at which trials are compared, rounded up: 1, 2, 4 of 12; 3, 9, 18 of 52."""
    return tuple(sorted({math.ceil(round(share * epochs, 6)) for share in SHARES}))


class ASHA:
    """The scores of the trials at their arm's rungs, and who is stopped for them.

    Each arm has its own: arms that learn slowly would lose their search to the others in common ones.
    Trials go by their key in the results, and one that has entered a rung is not decided on there again:
    one that was interrupted is the same trial.
    """

    def __init__(self) -> None:
        self._scores: dict[str, dict[str, dict[int, float]]] = {}  # by arm, trial and epoch

    def decide(self, trial: str, arm: str, epochs: int, epoch: int, score: float | None) -> bool:
        """Say whether a trial of ``epochs`` epochs is stopped, now that it has reported ``epoch``.

        It enters a rung with its first score there or later; what has none neither enters nor is stopped.
        """
        points = (*rungs(epochs), epochs)
        at = max((point for point in points if point <= epoch), default=None)
        of_arm = self._scores.setdefault(arm, {})
        if at is None or score is None or math.isnan(score) or at in of_arm.get(trial, {}):
            return False
        before = [scores[at] for scores in of_arm.values() if at in scores]
        of_arm.setdefault(trial, {})[at] = score
        if at == epochs or not before:
            return False
        if at == points[0]:
            return bool(score < np.percentile(before, FIRST))
        return bool(score < np.percentile(before, LATER)) and not self._hopes(arm, score, at, epochs)

    def _hopes(self, arm: str, score: float, at: int, epochs: int) -> bool:
        """Return whether a trial may still end up the best of those that have ended; nobody has: it may."""
        ended = [scores for scores in self._scores[arm].values() if {at, epochs} <= scores.keys()]
        if not ended:
            return True
        gain = np.mean([scores[epochs] - scores[at] for scores in ended])
        return bool(score + GAINS * gain >= max(scores[epochs] for scores in ended))

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

    def recorded(self) -> dict[str, dict[str, dict[int, float]]]:
        """Return the scores that count, by arm, trial and epoch of the rung (the last epoch: the end)."""
        return {arm: dict(of_arm) for arm, of_arm in self._scores.items()}
