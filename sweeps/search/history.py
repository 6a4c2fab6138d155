"""What a sampler looks back on: all trials of a usual search, and of a long one what still matters."""

import copy
import heapq
from collections.abc import Container
from operator import attrgetter

from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

LATEST = 500
BEST = 25  # as many as TPE ever takes for good ones


class History(InMemoryStorage):
    """Shows the latest trials, and the best of those before them.

    TPE weighs a trial less the older it is, unless it is one of the best; looking through all of them again
    at each proposal made the 2,500th trial cost twice as much as the 300th.
    """

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials that are shown, in their order."""
        trials = super().get_all_trials(study_id, deepcopy=False, states=states)
        complete = (trial for trial in trials[:-LATEST] if trial.state == TrialState.COMPLETE)
        best = heapq.nlargest(BEST, complete, key=attrgetter("value"))
        shown = [*sorted(best, key=attrgetter("number")), *trials[-LATEST:]]
        return copy.deepcopy(shown) if deepcopy else shown
