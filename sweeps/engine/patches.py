"""Every name of Ray's that it does not promise to keep, each in a function or class that says what for.

tests/sweeps/engine/test_patches.py fails where a version of Ray changes what is relied on here.
"""

import logging
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants, services, worker
from ray.exceptions import RayTaskError
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial

from lt_core.words import printable

LONGEST_REASON = 300  # characters


class OwnSession(services.ConsolePopen):
    """A process of Ray's, in a session of its own."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs, start_new_session=True)


def keep_signals_from_ray() -> None:
    """Start Ray in sessions of its own: Ctrl-C, a closed terminal or a scheduler's SIGTERM go to whole groups
    of processes, and a sweep can only end calmly while Ray lives."""
    services.ConsolePopen = OwnSession  # type: ignore[misc]


def listen_on_loopback(alone: bool) -> None:
    """Open every port on the loopback interface alone, where there is no cluster: Ray's way on macOS."""
    ray_constants.ENABLE_RAY_CLUSTER = not alone


def say_nothing_of_dead_workers() -> None:
    """Print none of Ray's messages to the driver: a worker that died is a note and a row of ours."""
    worker.print_to_stdstream = lambda *_, **__: None


def say_nothing_of_failed_trials() -> None:
    """Do not log what failed when a fit ends: failed trials are rows."""
    logging.getLogger("ray.tune.tune").setLevel(logging.CRITICAL)


class PatientController(TuneController):
    """Starts workers for all the room there is, lets them come up, and keeps them.

    Ray asks a searcher for one waiting trial at a time, so that workers start one after the other; it keeps
    one idle worker; and it drops one that starts as soon as another is free: where trials are shorter than
    the start of a worker, all of them run one after the other. After a while a start may be dropped after
    all: its machine may be gone.
    """

    PATIENCE_SECONDS = 30.0

    room = 1  # trials at once
    latest: "PatientController"

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._kept = 0  # idle workers, beyond what Ray keeps
        self._asked: dict[str, float] = {}  # when a worker was asked for, by trial
        PatientController.latest = self

    def update_max_pending_trials(self, max_pending_trials: int | None = None) -> None:
        self._max_pending_trials = max(1, PatientController.room)

    def _schedule_trial_actor(self, trial: Trial) -> None:
        if (more := PatientController.room - self._kept) > 0:
            self._actor_cache.increase_max(trial.placement_group_factory, more)
            self._kept += more
        super()._schedule_trial_actor(trial)

    def _maybe_reuse_cached_actor(self, trial: Trial) -> bool:
        own = self._trial_to_actor.get(trial)
        if own and trial not in self._resetting_trials:
            asked = self._asked.setdefault(trial.trial_id, time.monotonic())
            patient = time.monotonic() - asked < self.PATIENCE_SECONDS
            if patient or self._actor_manager.is_actor_started(own):
                return False
        return super()._maybe_reuse_cached_actor(trial)


def wait_for_workers() -> None:
    """Let every fit be controlled by PatientController."""
    sys.modules["ray.tune.tune"].TuneController = PatientController  # type: ignore[attr-defined]


def make_room(trials: int) -> None:
    """Let so many trials wait for a worker, and so many workers for a trial, in this fit or the next."""
    PatientController.room = trials


def kill_worker(trial: Trial) -> None:
    """Kill the worker that a trial runs on, whatever it does: the trial fails as one whose worker died."""
    controller = PatientController.latest
    tracked = controller._trial_to_actor.get(trial)
    actors = controller._actor_manager._live_actors_to_ray_actors_resources
    if tracked in actors:
        ray.kill(actors[tracked][0])


def raised_itself(trial: Trial) -> bool:
    """Whether the trial's own code raised; else its worker died. Reads what this process has just pickled."""
    if not trial.pickled_error_file:
        return False
    return isinstance(pickle.loads(Path(trial.pickled_error_file).read_bytes()), RayTaskError)


def error_line(trial: Trial) -> str:
    """Return the line that says what happened, from the trace that Ray wrote for the trial."""
    lines = Path(trial.error_file).read_text().splitlines() if trial.error_file else []
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        return "unknown error"
    return printable(lines[-1].removeprefix("lt_core.errors.InputError: "))[:LONGEST_REASON]


def forget(trial: Trial) -> None:
    """Drop Ray's statistics of a trial that has ended: half of the memory that a trial took."""
    trial.metric_analysis.clear()
    trial.metric_n_steps.clear()
