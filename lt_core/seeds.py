"""Random streams derived by name, so that adding one random draw shifts no other."""

import hashlib
from typing import Self

import torch
from torch import Tensor


def derive(seed: int, *names: str | int) -> int:
    """Return a 31-bit seed that depends on ``seed`` and on every name, and on nothing else."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """Return a CPU generator for the named stream (CPU, so that devices draw the same numbers)."""
    return torch.Generator().manual_seed(derive(seed, *names))


class GlobalStream:
    """torch's global generators as one run's own, while they are entered; outside, as they were.

    Whatever draws beside the named streams draws there: dropout, or a loss of a user's own.

    Attributes:
        state: by device, to be saved with a run and given back to it.
    """

    def __init__(self, seed: int, device: str):
        """``device``: the run's, cpu or cuda."""
        self._devices = ("cpu", device) if device == "cuda" else ("cpu",)
        outside = self._read()
        torch.manual_seed(derive(seed, "drawn elsewhere"))
        self.state = self._read()
        self._write(outside)

    def __enter__(self) -> Self:
        self._outside = self._read()
        self._write(self.state)
        return self

    def __exit__(self, *error: object) -> None:
        self.state = self._read()
        self._write(self._outside)

    def _read(self) -> dict[str, Tensor]:
        read = {"cpu": torch.get_rng_state, "cuda": torch.cuda.get_rng_state}
        return {device: read[device]() for device in self._devices}

    def _write(self, state: dict[str, Tensor]) -> None:
        write = {"cpu": torch.set_rng_state, "cuda": torch.cuda.set_rng_state}
        for device in self._devices:
            write[device](state[device])
