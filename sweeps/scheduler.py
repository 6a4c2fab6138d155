"""ASHA on validation macro recall, one ladder of rungs for each searched arm."""

from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

METRIC, TIME = "val_macro_recall", "epoch"
REDUCTION = 3


def grace_period(epochs: int) -> int:
    """Return the first rung: a fifth of the budget."""
    return max(1, epochs // 5)


def rungs(epochs: int) -> list[int]:
    """Return the epochs at which trials are compared: the grace period, then times REDUCTION."""
    found = [grace_period(epochs)]
    while found[-1] * REDUCTION < epochs:
        found.append(found[-1] * REDUCTION)
    return found


class ArmASHA(FIFOScheduler):
    """Asks the ASHA of the trial's arm; runs that are not part of a search always continue.

    Arms never share rungs: a trial is measured against its own arm's, or the arms that learn slowly
    would lose their search to the others.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ashas: dict[str, AsyncHyperBandScheduler] = {}

    def _asha(self, trial: Trial) -> AsyncHyperBandScheduler | None:
        if trial.config["phase"] != "search":
            return None
        arm, epochs = trial.config["arm"], trial.config["knobs"]["epochs"]
        if arm not in self._ashas:
            self._ashas[arm] = AsyncHyperBandScheduler(
                time_attr=TIME,
                metric=METRIC,
                mode="max",
                max_t=epochs,
                grace_period=grace_period(epochs),
                reduction_factor=REDUCTION,
            )
        return self._ashas[arm]

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        if asha := self._asha(trial):
            asha.on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict) -> str:
        asha = self._asha(trial)
        return asha.on_trial_result(tune_controller, trial, result) if asha else TrialScheduler.CONTINUE

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict) -> None:
        if asha := self._asha(trial):
            asha.on_trial_complete(tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        if asha := self._asha(trial):
            asha.on_trial_remove(tune_controller, trial)
