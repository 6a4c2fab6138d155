"""Ray: connecting, and one fit of everything planned."""

import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import ray
from joblib import cpu_count
from ray import tune
from ray._private import ray_constants, services, worker
from ray.tune.execution.tune_controller import TuneController

from lt_core.data import Dataset
from lt_core.errors import InputError
from sweeps.engine.recorder import EndedEarly, Recorder
from sweeps.engine.share import Share
from sweeps.engine.trainable import Trial
from sweeps.planning.plan import Plan
from sweeps.search.asha import ArmASHA
from sweeps.search.sequence import SweepSearcher
from sweeps.store.results import Results
from sweeps.terminal.progress import Progress
from sweeps.terminal.signals import Interrupted, Signals

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",  # its output engine prints whatever verbose says
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # thousands of files; ours is the record
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # see sweeps.signals
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # final runs report no validation metric
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Ray's own state is never read
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "60",
}


# Ray gets a session of its own: Ctrl-C, a closed terminal or a scheduler's SIGTERM go to whole groups of
# processes, and a sweep can only end calmly while Ray lives.
services.ConsolePopen = partial(services.ConsolePopen, start_new_session=True)  # type: ignore[misc, assignment]


class PatientController(TuneController):
    """Lets a worker that starts come up.

    Ray drops it as soon as another one is free: where trials are shorter than the start of a worker, all
    of them run one after the other. After a while it may be dropped after all: there may be no room for it.
    """

    PATIENCE_SECONDS = 30.0

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._asked: dict[str, float] = {}  # when a worker was asked for, by trial

    def _maybe_reuse_cached_actor(self, trial: Any) -> bool:
        if trial in self._trial_to_actor and trial not in self._resetting_trials:
            asked = self._asked.setdefault(trial.trial_id, time.monotonic())
            if time.monotonic() - asked < self.PATIENCE_SECONDS:
                return False
        return super()._maybe_reuse_cached_actor(trial)


sys.modules["ray.tune.tune"].TuneController = PatientController  # type: ignore[attr-defined]


@contextmanager
def connected(address: str | None) -> Iterator[dict[str, float]]:
    """Start Ray on this machine, or connect to ``address``; yield the resources there are."""
    os.environ.update(QUIET)
    # What Ray does on macOS and Windows: without a cluster, every port is on the loopback interface.
    ray_constants.ENABLE_RAY_CLUSTER = address is not None
    try:
        ray.init(
            address=address or "local",
            num_cpus=None if address else cpu_count(),
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        worker.print_to_stdstream = lambda *_, **__: None  # a worker that died is a note and a row of ours
    except SystemExit:  # Ray's way with SIGTERM while it starts
        raise Interrupted(signal.SIGTERM) from None
    except (ConnectionError, ValueError) as error:
        raise InputError(f"no Ray cluster at --address {address}: {error}") from None
    logging.getLogger("ray.tune.tune").setLevel(logging.CRITICAL)  # failed trials are rows; it lists them
    try:
        yield ray.cluster_resources()
    finally:
        ray.shutdown()


def run(
    plan: Plan,
    data: Dataset,
    results: Results,
    progress: Progress,
    signals: Signals,
    *,
    share: Share,
    concurrent: int,
    dataset: dict[str, Any],
    plugin: str | None,
    time_budget: float | None,
    checkpoint_every: float,
) -> str | None:
    """Run what the results lack of the plan, inside a connected Ray. Return why it ended early, or None."""
    payload = {
        "dataset": dataset,
        "fingerprint": data.fingerprint,
        "plugin": plugin,
        "place": str(Path(str(results.place)).resolve()),
        "checkpoint_every": checkpoint_every,
    }
    scheduler = ArmASHA()
    searcher = SweepSearcher(plan, results, scheduler, concurrent, payload)
    if lost := sum(spec.until_epoch is not None for spec in searcher.queue):
        progress.note(f"{lost} terminal trials have lost rows: they are measured again")
    recorder = Recorder(plan, data, results, searcher, progress, time_budget)
    scratch = tempfile.mkdtemp(prefix="sweep-ray-")
    try:
        tuner = tune.Tuner(
            tune.with_resources(Trial, {"cpu": share.cpus, "gpu": share.gpus}),
            tune_config=tune.TuneConfig(
                search_alg=searcher, scheduler=scheduler, num_samples=-1, reuse_actors=True
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
        with progress, signals.handled_by(recorder.end_early):
            tuner.fit()
    except Exception as error:
        if recorder.crash is None:  # not what Ray has wrapped of ours, see below
            if recorder.ended_early is None:
                raise
            progress.note(f"Ray failed while the sweep ended: {error!r}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if recorder.crash and not isinstance(recorder.crash, EndedEarly):
        raise recorder.crash  # Ray has wrapped it, or taken it for a trial's own
    recorder.close()
    return recorder.ended_early
