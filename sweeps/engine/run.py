"""One fit of everything planned, inside a connected Ray."""

import shutil
import tempfile

from ray import tune
from ray.autoscaler.sdk import request_resources

from lt_core.data import Dataset
from lt_core.words import count
from sweeps.engine import patches
from sweeps.engine.deaths import Deaths
from sweeps.engine.ground import Ground
from sweeps.engine.machine import versions
from sweeps.engine.nodes import Room, machines
from sweeps.engine.recorder import EndedEarly, Recorder
from sweeps.engine.scheduler import SweepScheduler
from sweeps.engine.searcher import SweepSearcher
from sweeps.engine.trainable import Trial
from sweeps.search.sequence import Sequence
from sweeps.terminal.progress import Progress
from sweeps.terminal.signals import Signals


def run(
    sequence: Sequence,
    data: Dataset,
    progress: Progress,
    signals: Signals,
    *,
    ground: Ground,
    plugin: tuple[str, bytes] | None,
    deadline: float | None,
    checkpoint_every: float,
    epoch_limits: dict[str, float],
) -> str | None:
    """Run what is next in the sequence, inside a connected Ray. Return why it ended early, or None."""
    payload = {
        "copy": data.copy,
        "fingerprint": data.fingerprint,
        "plugin": plugin,
        "place": sequence.results.place.address,
        "checkpoint_every": checkpoint_every,
        "versions": versions(),
        "cluster": ground.cluster,
    }
    if lost := sum(spec.until_epoch is not None for spec in sequence.queue):
        progress.note(f"{lost} terminal trials have lost rows: they are measured again")

    def alive() -> list[str]:
        return [machine.address for machine in machines()]

    recorder = Recorder(data, sequence, progress, deadline, epoch_limits, Deaths(alive))

    def tell(room: int) -> None:
        progress.note(f"the cluster has changed: there is room for {count(room, 'trial')} at once")
        searcher.concurrent = room
        patches.make_room(room)

    room = Room(ground.fits, tell)
    searcher = SweepSearcher(sequence, room.room, payload)
    patches.make_room(room.room)
    share, grows = ground.share, ground.most if ground.cluster else None
    if grows:  # a cluster that can grow is to have room for as many
        request_resources(bundles=[{"CPU": share.cpus, "GPU": share.gpus}] * grows)
    scratch = tempfile.mkdtemp(prefix="sweep-ray-")
    try:
        tuner = tune.Tuner(
            tune.with_resources(Trial, {"cpu": share.cpus, "gpu": share.gpus}),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=SweepScheduler(sequence),
                num_samples=-1,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=scratch,
                stop=recorder.should_stop,
                callbacks=[recorder, *([room] if ground.cluster else [])],
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
        if grows:
            request_resources(bundles=[])
    if recorder.crash and not isinstance(recorder.crash, EndedEarly):
        raise recorder.crash  # Ray has wrapped it, or taken it for a trial's own
    recorder.close()
    return recorder.ended_early
