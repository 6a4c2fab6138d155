"""The scheduler: Ray asks it after each report whether the trial goes on."""

from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from sweeps.record.metrics import RUNG_METRIC
from sweeps.search.sequence import Sequence


class SweepScheduler(FIFOScheduler):
    """Begins trials in the order in which they come, and stops those that the sequence stops."""

    def __init__(self, sequence: Sequence):
        super().__init__()
        self.sequence = sequence

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Return the next of those that wait; Ray's own way is to look at all that ever were."""
        live = tune_controller.get_live_trials()
        waiting = {trial.config["trial"]: trial for trial in live if trial.status == Trial.PENDING}
        return next((waiting[key] for key in self.sequence.running if key in waiting), None)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict) -> str:
        return TrialScheduler.STOP if self._stops(trial, result) else TrialScheduler.CONTINUE

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict) -> None:
        self._stops(trial, result)  # of a trial that is over Ray does not ask; others are compared with it

    def _stops(self, trial: Trial, result: dict) -> bool:
        if "epoch" not in result:  # it diverged, or ended before its first report
            return False
        return self.sequence.stops(trial.config["trial"], result["epoch"], result.get(RUNG_METRIC))
