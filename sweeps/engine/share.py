"""What one trial gets of the machine, and how many fit. Knows no Ray."""

import sys
from dataclasses import dataclass
from typing import Any, Self

from lt_core.errors import InputError


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
    def asked(cls, cpus: float, gpus: float | None) -> Self:
        """Return the share that is asked for; where ``gpus`` is None one GPU, if this machine has one."""
        return cls(cpus, min(1, of_this_machine()[1]) if gpus is None else gpus)

    @property
    def knobs(self) -> dict[str, Any]:
        """The knobs that the share decides. More threads of torch than cores are many times slower."""
        return {"threads": max(1, int(self.cpus)), "device": "cuda" if self.gpus else "cpu"}

    def concurrent(self, cpus: float, gpus: float, most: int | None) -> int:
        """Return how many trials fit, at most ``most``; raise InputError where not even one does."""
        if self.gpus > gpus:
            raise InputError(f"--gpus-per-trial {self.gpus:g}: there are {gpus:g} GPUs here")
        if self.cpus > cpus:
            raise InputError(f"--cpus-per-trial {self.cpus:g}: there are {cpus:g} cores here")
        fits = [cpus / self.cpus] + ([gpus / self.gpus] if self.gpus else [])
        return min(int(min(fits) + 1e-9), most or sys.maxsize)


def of_this_machine() -> tuple[int, int]:
    """Return the cores and the GPUs of this machine."""
    import torch
    from joblib import cpu_count

    return cpu_count(), torch.cuda.device_count()
