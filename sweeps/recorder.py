"""The recorder: Ray's events become rows of the results, before the trial that they are of goes on."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as RayTrial

from lt_core.data import Dataset
from sweeps.columns import SCHEMAS
from sweeps.plan import Plan
from sweeps.progress import Progress
from sweeps.results import Results
from sweeps.searcher import SweepSearcher, TrialSpec
from sweeps.trainable import class_rows


def fatal(method: Callable) -> Callable:
    """Let an error of the driver's own end the sweep: Ray would take it for the trial's and go on."""

    @wraps(method)
    def guarded(self: "Recorder", *args: Any, **kwargs: Any) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.crash, self.searcher.closed = self.crash or error, True
            raise

    return guarded


class Recorder(tune.Callback):
    """Writes a row for every event before the trial goes on, and tells the searcher how trials ended."""

    def __init__(
        self,
        plan: Plan,
        data: Dataset,
        results: Results,
        searcher: SweepSearcher,
        progress: Progress,
        time_budget: float | None,
    ):
        self.plan, self.data, self.results = plan, data, results
        self.searcher, self.progress = searcher, progress
        self.deadline = None if time_budget is None else time.monotonic() + time_budget
        self.ended_early: str | None = None
        self.crash: Exception | None = None  # an error of the driver's own
        self.last: dict[str, dict[str, Any]] = {}  # of each trial that began: its last report so far

    def __reduce__(self) -> Any:
        return (tune.Callback, ())  # Ray pickles a copy that nobody uses

    def should_stop(self, trial_id: str, result: Mapping) -> bool:
        """Ray asks at every report: once the time budget is spent, trials stop where they are."""
        if self.deadline is not None and time.monotonic() > self.deadline and not self.ended_early:
            self.ended_early = "time budget spent"
            self.searcher.closed = True
        return self.searcher.closed

    @fatal
    def on_step_end(self, iteration: int, trials: list, **info: Any) -> None:
        self.results.fold_if_due()  # rows reach Parquet also while nothing is reported

    @fatal
    def on_trial_start(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        self._begin(self.searcher.running[trial.trial_id])

    @fatal
    def on_trial_result(
        self, iteration: int, trials: list, trial: RayTrial, result: dict, **info: Any
    ) -> None:
        if "epoch" not in result:
            return
        spec = self.searcher.running[trial.trial_id]
        before = self.last[spec.trial].get("seconds", 0.0)
        seconds = before + result["train_seconds"] + result["eval_seconds"]
        self.last[spec.trial] = {**result, "seconds": seconds}
        row = {column: result.get(column) for column in SCHEMAS["epochs"].names}
        self.results.add("epochs", [row | _identity(spec)])
        self.searcher.score(spec, result)
        self.progress.epoch(spec.arm, result)

    @fatal
    def on_trial_complete(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        spec = self.searcher.running[trial.trial_id]
        epochs_done = self.last[spec.trial].get("epoch", 0)
        if "diverged" in (trial.last_result or {}):
            self._end(trial, "diverged", trial.last_result["diverged"])
        elif epochs_done >= spec.config.epochs:
            self._end(trial, "finished", None)
        else:
            by_asha = f"ASHA: outside the best third of its rung at epoch {epochs_done}"
            self._end(trial, "stopped", self.ended_early or by_asha)

    @fatal
    def on_trial_error(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        spec = self.searcher.running[trial.trial_id]
        if spec.trial not in self.last:  # it failed before it began
            self._begin(spec)
        self._end(trial, "failed", _error_line(trial))

    def _begin(self, spec: TrialSpec) -> None:
        self.results.trial(
            {
                **_identity(spec),
                "experiment": self.plan.name,
                "data": self.data.name,
                "config_of": spec.config_of,
                "status": "running",
                "epochs_done": 0,
                "seconds": 0.0,
                "started": datetime.now(UTC),
                **spec.config.model_dump(),
            }
        )
        self.last[spec.trial] = {}
        self.progress.started()

    def _end(self, trial: RayTrial, status: str, reason: str | None) -> None:
        spec = self.searcher.running[trial.trial_id]
        epochs_left = spec.config.epochs - self._write_end(spec, status, reason)
        self.searcher.end(trial.trial_id, status)
        self.progress.ended(spec.arm, status, epochs_left)

    def _write_end(self, spec: TrialSpec, status: str, reason: str | None) -> int:
        """Write how a trial ended, and the classes at its last epoch; return the epochs that it ran."""
        last = self.last.pop(spec.trial)
        row = {"trial": spec.trial, "status": status, "reason": reason}
        if last:
            row |= {"epochs_done": last["epoch"], "seconds": last["seconds"], "host": last["hostname"]}
            row |= last["ran_with"]
            place = _identity(spec) | {"epoch": last["epoch"], "split": spec.config.evaluate_on}
            rows = class_rows(last["confusion"], last["counts"], self.data.class_names)
            self.results.add("classes", [place | by_class for by_class in rows])
        self.results.trial(row)
        return last.get("epoch", 0)

    def close(self) -> None:
        """Give an end to every trial that began and that Ray left without one."""
        for spec in self.searcher.running.values():
            if spec.trial in self.last:
                self._write_end(spec, "stopped", self.ended_early)
        self.results.close()


def _identity(spec: TrialSpec) -> dict[str, Any]:
    return {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase, "seed": spec.config.seed}


def _error_line(trial: RayTrial) -> str:
    """Return the line that says what happened, from the trace that Ray wrote for the trial."""
    lines = Path(trial.error_file).read_text().splitlines() if trial.error_file else []
    lines = [line.strip() for line in lines if line.strip()]
    return lines[-1] if lines else "unknown error"
