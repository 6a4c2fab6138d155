"""The searcher: Ray asks it for trials, and gets what is next in the sequence."""

from typing import Any

from ray.tune.search import Searcher

from sweeps.search.sequence import Sequence
from sweeps.search.study import TrialSpec


class SweepSearcher(Searcher):
    """Hands the runs of a sequence to Ray, as many at once as there is room for.

    Ray's own ids of trials are of no use to us: a trial's config holds its key.
    """

    def __init__(self, sequence: Sequence, concurrent: int, payload: dict[str, Any]):
        """``payload``: what every trial's config holds beside its own."""
        super().__init__()
        self.sequence, self.concurrent, self.payload = sequence, concurrent, payload

    def suggest(self, trial_id: str) -> Any:
        if len(self.sequence.running) >= self.concurrent:
            return None
        if spec := self.sequence.next():
            return self._job(spec)
        return Searcher.FINISHED if self.sequence.over else None

    def _job(self, spec: TrialSpec) -> dict[str, Any]:
        """Return a trial's config, see ``sweeps.engine.trainable.Trial``."""
        results = self.sequence.results
        return {
            **self.payload,
            "trial": spec.trial,
            "until_epoch": spec.until_epoch,
            "knobs": spec.config.model_dump(),
            "attempt": results.trials.get(spec.trial, {}).get("attempts", 0) + 1,
            "reported": len(results.past.reported(spec.trial)),
        }

    def on_trial_result(self, trial_id: str, result: dict) -> None:
        """Scores reach Optuna when the trial ends."""

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Ray's notice comes before the trial's row is written; the recorder tells the sequence after it."""

    def save(self, checkpoint_path: str) -> None:
        """Ray's own state is not kept: the rows are the state."""
