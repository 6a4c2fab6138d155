"""Ray: connecting, one fit of everything planned, and the recorder that turns its events into rows."""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial as RayTrial

from lt_core.data import Dataset
from lt_core.errors import InputError
from sweeps.plan import Plan
from sweeps.progress import Progress
from sweeps.results import KNOBS, SCHEMAS, Results
from sweeps.scheduler import ArmASHA
from sweeps.searcher import SweepSearcher
from sweeps.trainable import Trial, class_rows

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",  # its output engine prints whatever verbose says
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # thousands of files; ours is the record
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # final runs report no validation metric
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Ray's own state is never read
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "60",
}


@dataclass(frozen=True)
class Share:
    """What one trial gets of the machine."""

    cpus: float
    gpus: float

    def check(self) -> None:
        if self.cpus <= 0:
            raise InputError(f"--cpus-per-trial {self.cpus:g}: must be above 0")
        if self.gpus < 0:
            raise InputError(f"--gpus-per-trial {self.gpus:g}: must be 0 or above")

    @property
    def threads(self) -> int:
        """Torch's threads: more of them than cores is many times slower."""
        return max(1, int(self.cpus))

    def concurrent(self, cpus: float, gpus: float) -> int:
        """Return how many trials fit; raise InputError where not even one does."""
        if self.gpus > gpus:
            raise InputError(f"--gpus-per-trial {self.gpus:g}: there are {gpus:g} GPUs here")
        if self.cpus > cpus:
            raise InputError(f"--cpus-per-trial {self.cpus:g}: there are {cpus:g} cores here")
        fits = [cpus / self.cpus] + ([gpus / self.gpus] if self.gpus else [])
        return int(min(fits) + 1e-9)


@contextmanager
def connected(address: str | None) -> Iterator[dict[str, float]]:
    """Start Ray on this machine, or connect to ``address``; yield the resources there are."""
    os.environ.update(QUIET)
    try:
        ray.init(
            address=address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except ConnectionError as error:
        raise InputError(f"no Ray cluster at --address {address}: {error}") from None
    try:
        yield ray.cluster_resources()
    finally:
        ray.shutdown()


def run(
    plan: Plan,
    data: Dataset,
    results: Results,
    progress: Progress,
    *,
    share: Share,
    concurrent: int,
    dataset: dict[str, Any],
    plugin: str | None,
    time_budget: float | None,
) -> str | None:
    """Run the plan inside a connected Ray. Return why it ended early, or None."""
    payload = {"dataset": dataset, "plugin": plugin}
    searcher = SweepSearcher(plan, results, concurrent, payload)
    recorder = Recorder(plan, data, results, searcher, progress, time_budget)
    scratch = tempfile.mkdtemp(prefix="sweep-ray-")
    try:
        tuner = tune.Tuner(
            tune.with_resources(Trial, {"cpu": share.cpus, "gpu": share.gpus}),
            tune_config=tune.TuneConfig(
                search_alg=searcher, scheduler=ArmASHA(), num_samples=-1, reuse_actors=True
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=scratch,
                stop=recorder.should_stop,
                callbacks=[recorder],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                failure_config=tune.FailureConfig(max_failures=0),
                verbose=0,
            ),
        )
        with progress:
            tuner.fit()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if recorder.crash:
        raise recorder.crash
    if recorder.ended_early is None and (searcher.running or searcher.queue):
        recorder.ended_early = "interrupted"
    recorder.close()
    return recorder.ended_early


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
        self.deadline = time.monotonic() + time_budget if time_budget else None
        self.ended_early: str | None = None
        self.crash: Exception | None = None  # an error of the driver's own
        self.last: dict[str, dict[str, Any]] = {}  # the last report of each running trial

    def __reduce__(self) -> Any:
        return (tune.Callback, ())  # Ray pickles a copy that nobody uses

    def should_stop(self, trial_id: str, result: Mapping) -> bool:
        """Ray asks at every report: once the time budget is spent, trials stop where they are."""
        if self.deadline and time.monotonic() > self.deadline and not self.ended_early:
            self.ended_early = "time budget spent"
            self.searcher.closed = True
        return self.searcher.closed

    def on_trial_start(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        config = trial.config
        self.results.trial(
            {
                "trial": config["trial"],
                "experiment": self.plan.name,
                "data": self.data.name,
                "arm": config["arm"],
                "phase": config["phase"],
                "config_of": config["config_of"],
                "status": "running",
                "reason": None,
                "epochs_done": 0,
                "seconds": 0.0,
                "started": datetime.now(UTC),
                "host": None,
                **{knob: config["knobs"][knob] for knob in KNOBS},
            }
        )
        self.progress.started()

    def on_trial_result(
        self, iteration: int, trials: list, trial: RayTrial, result: dict, **info: Any
    ) -> None:
        if "epoch" not in result:
            return
        config = trial.config
        seen = self.last.get(config["trial"])
        seconds = result["train_seconds"] + result["eval_seconds"] + (seen["seconds"] if seen else 0)
        self.last[config["trial"]] = {**result, "seconds": seconds}
        row = {column: result.get(column) for column in SCHEMAS["epochs"].names}
        self.results.add("epochs", [{**row, **_identity(config)}])
        spec = self.searcher.running[trial.trial_id]
        self.searcher.score(spec, result)
        self.progress.epoch(config["arm"], result)

    def on_trial_complete(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        try:
            self._complete(trial)
        except Exception as error:  # Ray would take it for the trial's own failure and go on
            self.crash, self.searcher.closed = error, True
            raise

    def _complete(self, trial: RayTrial) -> None:
        config, last = trial.config, self.last.get(trial.config["trial"])
        epochs_done, budget = (last["epoch"] if last else 0), config["knobs"]["epochs"]
        if "diverged" in (trial.last_result or {}):
            self._end(trial, "diverged", trial.last_result["diverged"])
        elif epochs_done >= budget:
            self._end(trial, "finished", None)
        else:
            by_asha = f"ASHA: outside the best third of its rung at epoch {epochs_done}"
            self._end(trial, "stopped", self.ended_early or by_asha)

    def on_trial_error(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        self._end(trial, "failed", _error_line(trial))

    def _end(self, trial: RayTrial, status: str, reason: str | None) -> None:
        key = trial.config["trial"]
        last = self.last.pop(key, None)
        row = {"trial": key, "status": status, "reason": reason}
        if last:
            row |= {"epochs_done": last["epoch"], "seconds": last["seconds"], "host": last["hostname"]}
            row |= last["ran_with"]
            self._add_classes(trial.config, last)
        self.results.trial(row)
        self.searcher.end(trial.trial_id, status)
        epochs_left = trial.config["knobs"]["epochs"] - (last["epoch"] if last else 0)
        self.progress.ended(trial.config["arm"], status, epochs_left)

    def _add_classes(self, config: dict[str, Any], last: dict[str, Any]) -> None:
        split = config["knobs"]["evaluate_on"]
        place = {**_identity(config), "epoch": last["epoch"], "split": split}
        rows = class_rows(last["confusion"], last["counts"], self.data.class_names)
        self.results.add("classes", [{**place, **row} for row in rows])

    def close(self) -> None:
        """Give every trial that Ray left without an end one."""
        for spec in list(self.searcher.running.values()):
            self.results.trial({"trial": spec.trial, "status": "stopped", "reason": self.ended_early})
        self.results.close()


def _identity(config: dict[str, Any]) -> dict[str, Any]:
    return {key: config[key] for key in ("trial", "arm", "phase")} | {"seed": config["knobs"]["seed"]}


def _error_line(trial: RayTrial) -> str:
    """Return the line that says what happened, from the trace that Ray wrote for the trial."""
    lines = Path(trial.error_file).read_text().splitlines() if trial.error_file else []
    lines = [line.strip() for line in lines if line.strip()]
    return lines[-1] if lines else "unknown error"
