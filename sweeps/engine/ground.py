"""Where trials run: on this machine, or on those of a cluster; what fits there, and how long it takes.

Imports Ray only where there is a cluster: a plan for this machine does not wait for it.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lt_core.errors import InputError
from lt_core.words import count
from sweeps.engine.machine import Machine, this_machine
from sweeps.engine.share import Share
from sweeps.terminal.signals import Signals
from sweeps.terminal.waiting import waiting

if TYPE_CHECKING:
    from lt_core.config import TrainConfig
    from lt_core.data import Dataset
    from sweeps.planning.plan import Plan


@dataclass(frozen=True)
class Ground:
    """The machines that a sweep was planned for, and what a trial gets of one.

    Attributes:
        cluster: whether they do not see this machine's disk.
        most: trials at once, at most; None: as many as fit.
    """

    machines: list[Machine]
    cluster: bool
    share: Share
    most: int | None

    @property
    def concurrent(self) -> int:
        """How many trials run at once; InputError where not even one does."""
        if fits := self.fits(self.machines):
            return fits
        where = f"on the largest of {len(self.machines)} machines" if self.cluster else "here"
        cpus, gpus = (max(getattr(one, what) for one in self.machines) for what in ("cpus", "gpus"))
        if self.share.gpus > gpus:
            raise InputError(f"--gpus-per-trial {self.share.gpus:g}: there are {gpus:g} GPUs {where}")
        raise InputError(f"--cpus-per-trial {self.share.cpus:g}: there are {cpus:g} cores {where}")

    def fits(self, machines: Sequence[Machine]) -> int:
        """Return how many trials would run at once on ``machines``; it may be none."""
        return min(sum(map(self.share.fits, machines)), self.most or sys.maxsize)

    def placed(self) -> str:
        """Say how many trials run at once; of a cluster, on how many machines how many have room."""
        at_once = f"  at once: {count(self.concurrent, 'trial')}"
        if not self.cluster:
            return at_once
        fits = Counter(map(self.share.fits, self.machines))
        each = {n: f"{n or 'none'} on {'each of ' if n and fits[n] > 1 else ''}" for n in fits}
        places = [f"{each[n]}{count(fits[n], 'machine')}" for n in sorted(fits, reverse=True)]
        return f"{at_once}; there is room for {', '.join(places)}"


@contextmanager
def machines(address: str | None, copy: str, place: str, signals: Signals) -> Iterator[list[Machine]]:
    """Yield the machines that there are: this one, or those of the cluster at ``address``. It is connected to
    meanwhile, and has the decoded data and the ``place`` of the results from here.
    """
    if address is None:
        yield [this_machine()]
        return
    from sweeps.engine import nodes
    from sweeps.engine.connection import connected
    from sweeps.engine.home import open_house

    with ExitStack() as stack:
        with waiting(f"connecting to the Ray cluster at {address}"):
            stack.enter_context(connected(address))
        signals.install()  # Ray has taken SIGTERM
        stack.enter_context(open_house(copy, place))
        yield nodes.machines()


def judged(
    ground: Ground, plan: "Plan", data: "Dataset", plugin: tuple[str, bytes] | None
) -> tuple[list[str], dict[str, float]]:
    """Return what a person is told of the machines, and the seconds an epoch by arm. Of a cluster every
    machine is tried; ``plugin``: path and text of the user's own file.

    Raises:
        InputError: no trial fits, or a machine is unfit.
    """
    from lt_core.timing import seconds_per_epoch
    from sweeps.planning.costs import seconds_per_epoch_by_arm

    said = [ground.placed()]
    timed: Callable[[TrainConfig], float] = partial(seconds_per_epoch, data=data)
    if ground.cluster:
        from sweeps.engine import nodes

        with waiting(f"trying {count(len(ground.machines), 'machine')}"):
            said.append(nodes.check(data))
        timed = nodes.timer(data, plugin, ground.share)
    with waiting("timing a step of each kind of arm"):
        return said, seconds_per_epoch_by_arm(plan, timed)
