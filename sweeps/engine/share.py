"""What one trial gets of the machine, and how many fit. Knows no Ray."""

import sys
from dataclasses import dataclass

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

    @property
    def threads(self) -> int:
        """Torch's threads: more of them than cores is many times slower."""
        return max(1, int(self.cpus))

    def concurrent(self, cpus: float, gpus: float, most: int | None) -> int:
        """Return how many trials fit, at most ``most``; raise InputError where not even one does."""
        if self.gpus > gpus:
            raise InputError(f"--gpus-per-trial {self.gpus:g}: there are {gpus:g} GPUs here")
        if self.cpus > cpus:
            raise InputError(f"--cpus-per-trial {self.cpus:g}: there are {cpus:g} cores here")
        fits = [cpus / self.cpus] + ([gpus / self.gpus] if self.gpus else [])
        return min(int(min(fits) + 1e-9), most or sys.maxsize)
