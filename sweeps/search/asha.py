"""ASHA that is fair to slow starters: a rung after a third of the epochs, for each searched arm its own.

There, trials are compared by ``val_best_adjusted_recall`` (of EpochMetrics in lt_core.train):
docs/early_stopping.md says what comparing them by macro recall would cost.
"""

from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

from sweeps.record.metrics import RUNG_METRIC

TIME = "epoch"
REDUCTION = 3


def rung(epochs: int) -> int:
    """Return the epoch at which trials are compared: a third of the budget, rounded up."""
    return -(-epochs // REDUCTION)


class ArmASHA(FIFOScheduler):
    """Asks the ASHA of the trial's arm; runs that are not part of a search always continue.

    Arms never share rungs: a trial is measured against its own arm's, or the arms that learn slowly
    would lose their search to the others. Trials go by their key in the results, and an epoch that was
    decided on is not decided on again: a trial that was interrupted is the same trial.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ashas: dict[str, AsyncHyperBandScheduler] = {}
        self._decided: dict[str, int] = {}  # the last epoch, by trial

    def _asha(self, arm: str, epochs: int) -> AsyncHyperBandScheduler:
        if arm not in self._ashas:
            self._ashas[arm] = AsyncHyperBandScheduler(
                time_attr=TIME,
                metric=RUNG_METRIC,
                mode="max",
                max_t=epochs,
                grace_period=rung(epochs),
                reduction_factor=REDUCTION,
            )
        return self._ashas[arm]

    def bring_back(
        self, key: str, arm: str, epochs: int, scores: dict[int, float], last: int, ended: bool
    ) -> None:
        """Bring back a search trial of an earlier session: its scores by epoch, and its last epoch.

        Whether a trial that is not terminal goes on after its last epoch may not have been decided:
        that is left until it reports that epoch again.
        """
        trial: Any = SimpleNamespace(
            config={
                "trial": key,
                "arm": arm,
                "phase": "search",
                "until_epoch": None,
                "knobs": {"epochs": epochs},
            }
        )
        self.on_trial_add(None, trial)
        result: dict[str, Any] = {}
        for epoch, score in sorted(scores.items()):
            if ended or epoch < last:
                result = {TIME: epoch, RUNG_METRIC: score}
                self.on_trial_result(None, trial, result)
        if ended:
            self.on_trial_complete(None, trial, result)

    def recorded(self) -> dict[str, dict[float, dict[str, float]]]:
        """Return the scores in every rung: by arm, epoch and trial."""
        return {arm: dict(asha._brackets[0]._rungs) for arm, asha in self._ashas.items()}

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        if asha := self._of(trial):
            asha.on_trial_add(tune_controller, _keyed(trial))

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict) -> str:
        asha, key = self._of(trial), trial.config["trial"]
        if asha is None or result.get(RUNG_METRIC) is None or result[TIME] <= self._decided.get(key, 0):
            return TrialScheduler.CONTINUE
        self._decided[key] = result[TIME]
        return asha.on_trial_result(tune_controller, _keyed(trial), result)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict) -> None:
        if asha := self._of(trial):
            if result.get(RUNG_METRIC) is not None:
                asha.on_trial_complete(tune_controller, _keyed(trial), result)
            self._decided.pop(trial.config["trial"], None)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        if asha := self._of(trial):
            asha.on_trial_remove(tune_controller, _keyed(trial))

    def _of(self, trial: Trial) -> AsyncHyperBandScheduler | None:
        config = trial.config
        if config["phase"] != "search" or config["until_epoch"] is not None:
            return None
        return self._asha(config["arm"], config["knobs"]["epochs"])


def _keyed(trial: Trial) -> Any:
    """Return what Ray's ASHA knows a trial by: its id, here our key."""
    return SimpleNamespace(trial_id=trial.config["trial"])
