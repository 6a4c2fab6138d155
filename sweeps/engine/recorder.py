"""The recorder: Ray's events become rows of the results, before the trial that they are of goes on."""

import pickle
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

from ray import tune
from ray.exceptions import RayTaskError
from ray.tune.experiment import Trial as RayTrial

from lt_core.data import Dataset
from lt_core.errors import InputError
from sweeps.engine.trainable import ARRAYS, class_rows
from sweeps.planning.plan import Plan
from sweeps.search.sequence import SweepSearcher
from sweeps.search.study import TrialSpec
from sweeps.store.results import Results
from sweeps.store.schemas import SCHEMAS
from sweeps.terminal.progress import Progress

RETRIES = 2  # of a trial whose worker died
GRACE_SECONDS = 5.0  # for trials to come to the end of their epoch when the sweep ends early
TIMES = ("train_seconds", "eval_seconds")


class EndedEarly(Exception):
    """Leaves Ray's loop: the grace is over."""


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
        self.leave_at = float("inf")
        self.crash: Exception | None = None  # an error of the driver's own
        self.last: dict[str, dict[str, Any]] = {}  # of each trial that runs: its last report so far
        self.seen: dict[str, dict[int, dict]] = {}  # of each trial that runs: its rows by epoch
        self.deaths: dict[str, int] = {}  # of workers, by trial

    def __reduce__(self) -> Any:
        return (tune.Callback, ())  # Ray pickles a copy that nobody uses

    def end_early(self, reason: str) -> None:
        """Begin nothing new and let trials come to the end of their epoch; asked again, leave at once."""
        self.leave_at = time.monotonic() + (0 if self.ended_early else GRACE_SECONDS)
        self.ended_early = self.ended_early or reason
        self.searcher.closed = True
        self.results.ask_for_checkpoints()

    def should_stop(self, trial_id: str, result: Mapping) -> bool:
        """Ray asks at every report."""
        return self.searcher.closed

    @fatal
    def on_step_end(self, iteration: int, trials: list, **info: Any) -> None:
        self.results.flush_if_due()  # rows reach Parquet also while nothing is reported
        now = time.monotonic()
        if self.deadline is not None and now > self.deadline and not self.ended_early:
            self.end_early("time budget spent")
        if self.ended_early:
            self.progress.note(f"{self.ended_early}: trials get {GRACE_SECONDS:.0f} s to end their epoch")
        if now > self.leave_at:
            raise EndedEarly

    @fatal
    def on_trial_start(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        self._begin(self.searcher.running[trial.trial_id])

    @fatal
    def on_trial_result(
        self, iteration: int, trials: list, trial: RayTrial, result: dict, **info: Any
    ) -> None:
        if "epoch" not in result:
            return
        spec, epoch = self.searcher.running[trial.trial_id], result["epoch"]
        # Ray keeps every trial's last report; the arrays in it are ours alone.
        arrays = {name: result.pop(name) for name in ARRAYS}
        for note in result.pop("notes"):
            self.progress.note(note)
        row = {column: result.get(column) for column in SCHEMAS["epochs"].names} | _identity(spec)
        seen = self.seen[spec.trial]
        if epoch in seen:
            self._check(seen[epoch], row, result["ran_with"]["device"])
        else:
            seen[epoch] = row
            self.results.write(epochs=[row])
            self.progress.epoch(spec.arm, result)
        seconds = sum(row[name] for row in seen.values() for name in TIMES)
        self.last[spec.trial] = {**result, **arrays, "seconds": seconds}

    def _check(self, old: dict, new: dict, device: str) -> None:
        """An epoch that is measured again must come out the same; GPUs do not promise it."""
        differing = [name for name in new if name not in TIMES and not _same(old.get(name), new[name])]
        if differing and device == "cpu":
            name = differing[0]
            raise InputError(
                f"{new['trial']}, epoch {new['epoch']}: {name} was {old.get(name)} and is now {new[name]}: "
                "the code, a library or the machine has changed; go on where the sweep began"
            )

    @fatal
    def on_trial_complete(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        spec = self.searcher.running[trial.trial_id]
        epochs_done = self.last[spec.trial].get("epoch", 0)
        if "diverged" in (trial.last_result or {}):
            self._end(trial, "diverged", trial.last_result["diverged"])
        elif epochs_done >= (spec.config.epochs if spec.until_epoch is None else spec.until_epoch):
            self._end(trial, "finished", None)
        elif self.ended_early:
            self._end(trial, "interrupted", self.ended_early)
        else:
            reason = f"ASHA: outside the best third of its rung at epoch {epochs_done}"
            self._end(trial, "stopped", reason)

    @fatal
    def on_trial_error(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        spec = self.searcher.running[trial.trial_id]
        if spec.trial not in self.last:  # it failed before it began
            self._begin(spec)
        own = _is_own(trial)  # else its worker died
        if self.ended_early and not own:
            self._end(trial, "interrupted", self.ended_early)
        elif own or self.deaths.get(spec.trial, 0) >= RETRIES:
            self._end(trial, "failed", _error_line(trial))
        else:
            self.deaths[spec.trial] = self.deaths.get(spec.trial, 0) + 1
            self.progress.note(f"{spec.trial}: its worker died, it goes on from its last checkpoint")
            self.progress.ended(spec.arm, "interrupted", 0)
            self.results.past.epochs[spec.trial] = self.seen.pop(spec.trial)
            del self.last[spec.trial]
            self.searcher.again(trial.trial_id)

    def _begin(self, spec: TrialSpec) -> None:
        row = self.results.trials.get(spec.trial)
        if row is None:
            row = {
                **_identity(spec),
                "experiment": self.plan.name,
                "data": self.data.name,
                "config_of": spec.config_of,
                "known_from": None,
                "proposal": spec.proposal,
                "epochs_done": 0,
                "seconds": 0.0,
                "started": datetime.now(UTC),
                "attempts": 0,
                **spec.config.model_dump(),
            }
        again = {"trial": spec.trial, "attempts": row["attempts"] + 1}
        if spec.until_epoch is None:
            again |= {"status": "running", "reason": None}
        self.results.write(trials=[row | again if row["attempts"] == 0 else again])
        self.last[spec.trial] = {}
        self.seen[spec.trial] = dict(self.results.past.epochs.pop(spec.trial, {}))
        self.progress.started()

    def _end(self, trial: RayTrial, status: str, reason: str | None) -> None:
        spec = self.searcher.running[trial.trial_id]
        epochs_done = self._write_end(spec, status, reason)
        self.searcher.end(trial.trial_id, status)
        trial.run_metadata.metric_analysis.clear()  # Ray's own record: half of what a trial took
        trial.run_metadata.metric_n_steps.clear()
        counted = status if spec.until_epoch is None else "interrupted"
        self.progress.ended(spec.arm, counted, spec.config.epochs - epochs_done)

    def _write_end(self, spec: TrialSpec, status: str, reason: str | None) -> int:
        """Write how a trial ended, and the classes at its last epoch; return the epochs that it ran."""
        last, on_record = self.last.pop(spec.trial), len(self.seen.pop(spec.trial))
        row = {"trial": spec.trial, "status": status, "reason": reason, "epochs_done": on_record}
        classes = []
        if last:
            row |= {"seconds": last["seconds"], "host": last["hostname"], **last["ran_with"]}
            place = _identity(spec) | {"epoch": last["epoch"], "split": spec.config.evaluate_on}
            rows = class_rows(**{name: last[name] for name in ARRAYS}, class_names=self.data.class_names)
            classes = [place | by_class for by_class in rows]
        if spec.until_epoch is not None:  # only what was lost is written again
            if status not in ("finished", "interrupted"):
                raise InputError(f"{spec.trial} cannot be measured again: {status}, {reason}")
            if status == "finished" and not self.results.past.classes[spec.trial]:
                self.results.write(classes=classes)
        elif status == "interrupted":
            self.results.write(trials=[row])
        else:
            self.results.write(classes=classes, trials=[row])
        if status != "interrupted":
            self.results.drop_checkpoints(spec.trial)
        return on_record

    def close(self) -> None:
        """Give every trial that began, and that Ray left without an end, its row."""
        for spec in self.searcher.running.values():
            if spec.trial in self.last:
                self._write_end(spec, "interrupted", self.ended_early)
        self.results.close()


def _same(old: Any, new: Any) -> bool:
    return old == new or (old != old and new != new)


def _identity(spec: TrialSpec) -> dict[str, Any]:
    return {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase, "seed": spec.config.seed}


def _is_own(trial: RayTrial) -> bool:
    """Whether the trial itself raised, from what this process has just pickled in its scratch folder."""
    if not trial.pickled_error_file:
        return False
    return isinstance(pickle.loads(Path(trial.pickled_error_file).read_bytes()), RayTaskError)


def _error_line(trial: RayTrial) -> str:
    """Return the line that says what happened, from the trace that Ray wrote for the trial."""
    lines = Path(trial.error_file).read_text().splitlines() if trial.error_file else []
    lines = [line.strip() for line in lines if line.strip()]
    return lines[-1] if lines else "unknown error"
