"""The machines of a cluster: what they have, whether trials can start there, and those that come and go."""

import time
from collections.abc import Callable
from typing import Any

import ray
from ray import tune
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.data.cache import ARRAYS
from lt_core.errors import InputError
from lt_core.words import count
from sweeps.engine.machine import Machine, unfit, versions
from sweeps.engine.share import Share
from sweeps.engine.trainable import mapped, seconds_per_epoch_there

START_SECONDS = 120.0  # in which a node must have started a worker
LOOK_SECONDS = 2.0  # between two looks at the cluster


def machines() -> list[Machine]:
    """Return the machines of the connected Ray that are alive, the driver's first."""
    own = ray.get_runtime_context().get_node_id()
    alive = sorted((node for node in ray.nodes() if node["Alive"]), key=lambda node: node["NodeID"] != own)
    return [
        Machine(node["NodeManagerAddress"], *(node["Resources"].get(what, 0.0) for what in ("CPU", "GPU")))
        for node in alive
    ]


class Probe:
    """An actor, as trials are: with tokens on one side only, tasks run and actors do not."""

    def look(self, expected: dict[str, str], copy: str, fingerprint: str) -> tuple[str | None, bool]:
        """Return what makes the node unfit (None: nothing), and whether it sees the decoded copy."""
        return unfit(expected), mapped(copy, fingerprint) is not None


def check(data: Dataset) -> str:
    """Start a worker on every machine: what fails here is no trial's failure. Say how they get the data.

    Raises:
        InputError: one cannot start a worker, or is unfit.
    """
    probe, asked = ray.remote(Probe), {}
    for node in ray.nodes():
        if node["Alive"]:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            actor: Any = probe.options(num_cpus=0, scheduling_strategy=there).remote()
            answer = actor.look.remote(versions(), data.copy, data.fingerprint)
            asked[node["NodeID"]] = node["NodeManagerAddress"], actor, answer
    deadline, seeing = time.monotonic() + START_SECONDS, 0
    for address, _, answer in asked.values():
        why, sees = _answer(address, answer, deadline)
        if why:
            raise InputError(why)
        seeing += sees
    size = sum(getattr(data, name).nbytes for name in ARRAYS) / 1e6
    others = f"{count(len(asked) - seeing, 'other')} get it once each, through Ray's object store"
    mapping = f"{seeing} of {count(len(asked), 'machine')} map {data.copy}"
    return f"  data:    {size:,.1f} MB; {mapping}{'' if seeing == len(asked) else f', {others}'}"


def _answer(address: str, answer: ray.ObjectRef, deadline: float) -> tuple[str | None, bool]:
    try:
        return ray.get(answer, timeout=max(0.0, deadline - time.monotonic()))
    except ray.exceptions.GetTimeoutError:
        where = "`ray status` and the logs there say why"
        return f"{address} has not started a worker in {START_SECONDS:.0f} s: {where}", False
    except ray.exceptions.RayError as error:
        return f"no trial can start on {address}: {_last_line(error)}", False


def _last_line(error: Exception) -> str:
    """Return the line of one of Ray's errors, or of a trace in it, that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("lt_core.errors.InputError: ") if lines else repr(error)


def timer(data: Dataset, plugin: tuple[str, bytes] | None, share: Share) -> Callable[[TrainConfig], float]:
    """Return what times a config, in seconds an epoch, on a machine of the cluster that has the share."""
    timed = ray.remote(seconds_per_epoch_there).options(num_cpus=share.cpus, num_gpus=share.gpus)

    def time_one(config: TrainConfig) -> float:
        try:
            return ray.get(timed.remote(config.model_dump(), plugin, data.copy, data.fingerprint))
        except ray.exceptions.RayError as error:
            raise InputError(f"no step can be timed on the cluster: {_last_line(error)}") from None

    return time_one


class Room(tune.Callback):
    """Looks at the cluster now and then, and tells how many trials fit."""

    def __init__(self, fits: Callable[[list[Machine]], int], tell: Callable[[int], None]):
        """``fits``: of these machines; ``tell``: is called with the number whenever it is another."""
        self.fits, self.tell = fits, tell
        self.looked = time.monotonic()
        self.room = fits(machines())

    def __reduce__(self) -> tuple:
        return (tune.Callback, ())  # Ray pickles a copy that nobody uses

    def on_step_end(self, iteration: int, trials: list, **info: object) -> None:
        now = time.monotonic()
        if now - self.looked < LOOK_SECONDS:
            return
        self.looked, room = now, self.fits(machines())
        if room != self.room:
            self.room = room
            self.tell(room)
