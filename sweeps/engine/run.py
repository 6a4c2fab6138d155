"""Ray: connecting, and one fit of everything planned."""

import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from joblib import cpu_count
from ray import tune

from lt_core.data import Dataset
from lt_core.errors import InputError
from sweeps.engine import patches
from sweeps.engine.recorder import EndedEarly, Recorder
from sweeps.engine.scheduler import SweepScheduler
from sweeps.engine.searcher import SweepSearcher
from sweeps.engine.share import Share
from sweeps.engine.trainable import Trial
from sweeps.planning.plan import Plan
from sweeps.search.sequence import Sequence
from sweeps.store.results import Results
from sweeps.terminal.progress import Progress
from sweeps.terminal.signals import Interrupted, Signals

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",  # its output engine prints whatever verbose says
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # thousands of files; ours is the record
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # see sweeps.terminal.signals
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # final runs report no validation metric
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Ray's own state is never read
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "60",
}


@contextmanager
def connected(address: str | None) -> Iterator[dict[str, float]]:
    """Start Ray on this machine, or connect to ``address``; yield the resources there are."""
    os.environ.update(QUIET)
    patches.keep_signals_from_ray()
    patches.listen_on_loopback(alone=address is None)
    patches.say_nothing_of_dead_workers()
    patches.say_nothing_of_failed_trials()
    patches.wait_for_workers()
    try:
        ray.init(
            address=address or "local",
            num_cpus=None if address else cpu_count(),
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except SystemExit:  # Ray's way with SIGTERM while it starts
        raise Interrupted(signal.SIGTERM) from None
    except (ConnectionError, ValueError) as error:
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
        "place": results.place.address,
        "checkpoint_every": checkpoint_every,
    }
    sequence = Sequence(plan, results)
    if lost := sum(spec.until_epoch is not None for spec in sequence.queue):
        progress.note(f"{lost} terminal trials have lost rows: they are measured again")
    recorder = Recorder(plan, data, results, sequence, progress, time_budget)
    scratch = tempfile.mkdtemp(prefix="sweep-ray-")
    try:
        tuner = tune.Tuner(
            tune.with_resources(Trial, {"cpu": share.cpus, "gpu": share.gpus}),
            tune_config=tune.TuneConfig(
                search_alg=SweepSearcher(sequence, concurrent, payload),
                scheduler=SweepScheduler(sequence),
                num_samples=-1,
                reuse_actors=True,
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
