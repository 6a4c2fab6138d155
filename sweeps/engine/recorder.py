"""The recorder: Ray's events become rows of the results, before the trial that they are of goes on."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as RayTrial

from lt_core.data import Dataset
from lt_core.errors import InputError
from sweeps.engine import patches
from sweeps.engine.deaths import Deaths
from sweeps.engine.replay import TIMES, check_replayed
from sweeps.engine.trainable import class_rows
from sweeps.engine.watch import Watch
from sweeps.record.states import Status
from sweeps.search.sequence import Sequence
from sweeps.search.study import TrialSpec
from sweeps.store.schemas import SCHEMAS
from sweeps.terminal.progress import Progress

GRACE_SECONDS = 5.0  # for trials to come to the end of their epoch when the sweep ends early
ENDING_SECONDS = 7.0  # for the last rows, Ray's end and the table: on two cores less was needed


class EndedEarly(Exception):
    """Leaves Ray's loop: the grace is over."""


def fatal(method: Callable) -> Callable:
    """Let an error of the driver's own end the sweep: Ray would take it for the trial's and go on."""

    @wraps(method)
    def guarded(self: "Recorder", *args: Any, **kwargs: Any) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.crash, self.sequence.closed = self.crash or error, True
            raise

    return guarded


class Recorder(tune.Callback):
    """Writes a row for every event before the trial goes on, and tells the sequence how trials ended."""

    def __init__(
        self,
        data: Dataset,
        sequence: Sequence,
        progress: Progress,
        deadline: float | None,
        epoch_limits: dict[str, float],
        deaths: Deaths,
    ):
        self.data, self.sequence, self.progress = data, sequence, progress
        self.plan, self.results = sequence.plan, sequence.results
        # Of the whole command, by the monotonic clock: what comes after the trials must fit in as well.
        self.deadline = None if deadline is None else deadline - GRACE_SECONDS - ENDING_SECONDS
        self.ended_early: str | None = None
        self.leave_at = float("inf")
        self.crash: Exception | None = None  # an error of the driver's own
        self.last: dict[str, dict[str, Any]] = {}  # of each trial that runs: its last report so far
        self.seen: dict[str, dict[int, dict]] = {}  # of each trial that runs: its rows by epoch
        self.watch = Watch(epoch_limits)
        self.deaths = deaths

    def __reduce__(self) -> Any:
        return (tune.Callback, ())  # Ray pickles a copy that nobody uses

    def end_early(self, reason: str) -> None:
        """Begin nothing new and let trials come to the end of their epoch; asked again, leave at once."""
        self.leave_at = time.monotonic() + (0 if self.ended_early else GRACE_SECONDS)
        self.ended_early = self.ended_early or reason
        self.sequence.closed = True
        self.results.ask_for_checkpoints()

    def should_stop(self, trial_id: str, result: Mapping) -> bool:
        """Ray asks at every report."""
        return self.sequence.closed

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
        if overdue := self.watch.overdue(now):  # else not a look at the trials: there may be thousands
            for trial in trials:
                if trial.config["trial"] in overdue:
                    patches.kill_worker(trial)

    @fatal
    def on_trial_start(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        self.deaths.begun()
        self._begin(self._spec(trial))

    @fatal
    def on_trial_result(
        self, iteration: int, trials: list, trial: RayTrial, result: dict, **info: Any
    ) -> None:
        if "unfit" in result:
            raise InputError(result["unfit"])
        if "epoch" not in result:
            return
        spec, epoch = self._spec(trial), result["epoch"]
        self.watch.expect(spec.trial, spec.arm, epoch + 1)
        # Ray keeps every trial's last report; the arrays in it are ours alone.
        arrays = result.pop("arrays")
        for note in result.pop("notes"):
            self.progress.note(note)
        row = {column: result.get(column) for column in SCHEMAS["epochs"].names} | _identity(spec)
        seen, known = self.seen[spec.trial], self.results.trials[spec.trial]
        where = {"host": result["hostname"], "processor": result.get("processor")}
        if epoch in seen:
            moved = known["processor"] not in (None, where["processor"])
            check_replayed(seen[epoch], row, result["ran_with"]["device"], moved)
        else:
            seen[epoch] = row
            new = spec.until_epoch is None and any(known[name] != value for name, value in where.items())
            self.results.write(epochs=[row], trials=[{"trial": spec.trial, **where}] if new else None)
            if epoch > 0:  # before the first, nothing is trained
                self.progress.epoch(spec.arm, result)
        seconds = sum(row[name] for row in seen.values() for name in TIMES)
        if arrays is None:  # not evaluated: what was found before is still the last
            before = self.last[spec.trial]
            found = {name: before.get(name) for name in ("arrays", "evaluated")}
        else:
            found = {"arrays": arrays, "evaluated": epoch}
        self.last[spec.trial] = {**result, **found, "seconds": seconds}

    @fatal
    def on_trial_complete(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        spec = self._spec(trial)
        epoch = self.last[spec.trial].get("epoch", 0)
        if "diverged" in (trial.last_result or {}):
            self._end(spec, Status.DIVERGED, trial.last_result["diverged"])
        elif epoch >= (spec.config.epochs if spec.until_epoch is None else spec.until_epoch):
            self._end(spec, Status.FINISHED, None)
        elif self.ended_early:
            self._end(spec, Status.INTERRUPTED, self.ended_early)
        else:
            self._end(spec, Status.STOPPED, f"ASHA: too low at the rung after epoch {epoch}")
        patches.forget(trial)

    @fatal
    def on_trial_error(self, iteration: int, trials: list, trial: RayTrial, **info: Any) -> None:
        spec = self._spec(trial)
        own = patches.raised_itself(trial)  # else its worker died
        if spec.trial not in self.last:
            self.deaths.not_begun(patches.error_line(trial))
            self.sequence.again(spec.trial)  # nothing of it has run
        elif late := self.watch.late.get(spec.trial):
            self._end(spec, Status.FAILED, late)
        elif self.ended_early and not own:
            self._end(spec, Status.INTERRUPTED, self.ended_early)
        elif own or self.deaths.too_many(spec.trial, self.last[spec.trial].get("node_ip")):
            self._end(spec, Status.FAILED, patches.error_line(trial))
        else:
            self._go_on(spec)
        patches.forget(trial)

    def _go_on(self, spec: TrialSpec) -> None:
        """Let a trial whose worker died be handed out again."""
        lost = "its worker or machine is gone"
        self.progress.note(f"{spec.trial}: {lost}, it goes on from its last checkpoint")
        self.watch.forget(spec.trial)
        self.results.past.epochs[spec.trial] = self.seen.pop(spec.trial)
        del self.last[spec.trial]
        self.sequence.again(spec.trial)

    def _spec(self, trial: RayTrial) -> TrialSpec:
        return self.sequence.running[trial.config["trial"]]

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
                "host": None,
                "processor": None,
                **spec.config.model_dump(),
            }
        again = {"trial": spec.trial, "attempts": row["attempts"] + 1}
        if spec.until_epoch is None:
            again |= {"status": Status.RUNNING, "reason": None}
        self.results.write(trials=[row | again if row["attempts"] == 0 else again])
        self.last[spec.trial] = {}
        self.watch.expect(spec.trial, spec.arm, len(self.results.past.reported(spec.trial)) + 1)
        self.seen[spec.trial] = dict(self.results.past.epochs.pop(spec.trial, {}))
        self.progress.started()

    def _end(self, spec: TrialSpec, status: Status, reason: str | None) -> None:
        epochs_done = self._write_end(spec, status, reason)
        self.watch.forget(spec.trial)
        self.sequence.end(spec.trial, status)
        spared = spec.config.epochs - epochs_done if status.terminal and spec.until_epoch is None else 0
        self.progress.ended(spec.arm, spared)

    def _write_end(self, spec: TrialSpec, status: Status, reason: str | None) -> int:
        """Write how a trial ended, and the classes at its last epoch; return its last epoch on record."""
        last, epochs_done = self.last.pop(spec.trial), max(self.seen.pop(spec.trial), default=0)
        row = {"trial": spec.trial, "status": status, "reason": reason, "epochs_done": epochs_done}
        if last:
            row |= {"seconds": last["seconds"], **last["ran_with"]}
        if spec.until_epoch is not None:
            self._write_lost(spec, status, reason, last)
        elif status.terminal:
            self.results.write(classes=self._classes(spec, last), trials=[row])
        else:
            self.results.write(trials=[row])
        if status.terminal:
            self.results.drop_checkpoints(spec.trial)
        return epochs_done

    def _write_lost(self, spec: TrialSpec, status: Status, reason: str | None, last: dict) -> None:
        """Write the classes of a trial that was measured again, if they were lost; its row stays as it is."""
        if status not in (Status.FINISHED, Status.INTERRUPTED):
            raise InputError(f"{spec.trial} cannot be measured again: {status}, {reason}")
        if status == Status.FINISHED and not self.results.past.classes[spec.trial]:
            self.results.write(classes=self._classes(spec, last))

    def _classes(self, spec: TrialSpec, last: dict) -> list[dict]:
        """Return the rows of the classes at the trial's last evaluation; none where nothing was trained."""
        if not last.get("evaluated"):
            return []
        place = _identity(spec) | {"epoch": last["evaluated"], "split": spec.config.evaluate_on}
        return [place | row for row in class_rows(last["arrays"], self.data.class_names)]

    def close(self) -> None:
        """Give every trial that began, and that Ray left without an end, its row."""
        for spec in self.sequence.running.values():
            if spec.trial in self.last:
                self._write_end(spec, Status.INTERRUPTED, self.ended_early)
        self.results.close()


def _identity(spec: TrialSpec) -> dict[str, Any]:
    return {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase, "seed": spec.config.seed}
