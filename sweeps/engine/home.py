"""What the nodes of a cluster get from the driver's, whose disk they do not see: the data, and the place of
the results, where they write checkpoints.

Ray moves and shares it: an array is sent once a node, and every trial there maps the one copy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from lt_core.data import Dataset, open_copy
from lt_core.data.cache import ARRAYS
from lt_core.errors import InputError
from sweeps.store.location import open_location

NAME = "home"  # in the job's own namespace


class Home:
    """The actor on the driver's node. What it is asked for twice does no harm, so it may be started again."""

    def __init__(self, copy: str, place: str):
        self.copy, self.place = copy, open_location(place)
        self.sent: ray.ObjectRef | None = None

    def data(self) -> list[ray.ObjectRef]:
        """Return where the data set is in Ray's object store; it is put there when it is first asked for."""
        if self.sent is None:
            data = open_copy(self.copy)
            # A mapped file would be pickled as bytes; a plain array is mapped by whoever gets it.
            arrays: dict[str, Any] = {name: np.asarray(getattr(data, name)) for name in ARRAYS}
            self.sent = ray.put(replace(data, **arrays))
        return [self.sent]

    def at_place(self, method: str, *arguments: Any) -> Any:
        """Do something at the place; an error comes back as it is, for `AtHome` to raise."""
        try:
            return getattr(self.place, method)(*arguments)
        except (OSError, InputError) as error:
            return error


class AtHome:
    """The place as trials on any node have it (`sweeps.store.location.Files`)."""

    def __init__(self, place: str):
        self.place, self.home = place, ray.get_actor(NAME)

    def __str__(self) -> str:
        return self.place

    def names(self, pattern: str) -> list[str]:
        return self._there("names", pattern)

    def read(self, name: str) -> bytes:
        return self._there("read", name)

    def write(self, name: str, content: bytes) -> None:
        self._there("write", name, content)

    def remove(self, name: str) -> None:
        self._there("remove", name)

    def _there(self, *call: Any) -> Any:
        answer: Any = ray.get(self.home.at_place.remote(*call))
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def open_house(copy: str, place: str) -> Iterator[None]:
    """Keep the actor beside the driver; ``copy``: the folder of the decoded data, ``place``: an address."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    options = {"name": NAME, "num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
    home: Any = ray.remote(Home).options(scheduling_strategy=here, **options).remote(copy, place)
    try:
        yield
    finally:
        ray.kill(home)


def data_from_home() -> Dataset:
    """Return the driver's data, mapped from this node's object store."""
    sent: list[ray.ObjectRef] = ray.get(ray.get_actor(NAME).data.remote())
    return ray.get(sent[0])
