"""What one trial gets of the machine, and how many fit. Knows no Ray."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from lt_core.errors import InputError
from sweeps.engine.machine import Machine


@dataclass(frozen=True)
class Share:
    """What one trial gets of the machine."""

    cpus: float
    gpus: float

    def __post_init__(self) -> None:
        if self.cpus <= 0:
            raise InputError(f"--cpus-per-trial {self.cpus:g}: must be above 0")
        if self.gpus < 0 or (self.gpus > 1 and self.gpus % 1):
            raise InputError(f"--gpus-per-trial {self.gpus:g}: must be a share of one GPU or a whole number")

    @classmethod
    def asked(cls, cpus: float, gpus: float | None, machines: Sequence[Machine]) -> Self:
        """Return the share that is asked for; where ``gpus`` is None one GPU, if any machine has one."""
        return cls(cpus, min(1, max(machine.gpus for machine in machines)) if gpus is None else gpus)

    @property
    def knobs(self) -> dict[str, Any]:
        """The knobs that the share decides. More threads of torch than cores are many times slower."""
        return {"threads": max(1, int(self.cpus)), "device": "cuda" if self.gpus else "cpu"}

    def fits(self, machine: Machine) -> int:
        """Return how many trials fit on a machine; shares of a GPU that are left over cannot be joined."""
        by_cpu = int(machine.cpus / self.cpus + 1e-9)
        if self.gpus == 0:
            return by_cpu
        per_gpu = int(1 / self.gpus + 1e-9)
        by_gpu = int(machine.gpus) * per_gpu if self.gpus <= 1 else int(machine.gpus / self.gpus)
        return min(by_cpu, by_gpu)
