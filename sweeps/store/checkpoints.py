"""Checkpoints of one run: files that appear whole, prove their content, and never execute when read."""

import hashlib
import io
import time
from typing import Any

import torch

from lt_core.errors import InputError
from sweeps.store.location import Files

KEPT = 2  # the newest may be ahead of what was reported, or be damaged later
CLOSING = "checkpoints/closing"  # where this is, every run writes a checkpoint at the end of its epoch


def checkpoints_of(trial: str) -> str:
    """Return the name under which a trial's checkpoints are."""
    return f"checkpoints/{trial}"


class Checkpoints:
    """The checkpoints of one run.

    One is called EPOCH-ATTEMPT-DIGEST.pt. Attempts never write over each other: a process that
    outlives its sweep by seconds cannot harm the attempt that took over.

    Attributes:
        notes: a line for each file that could not be read or written; the run goes on without it.
    """

    def __init__(self, place: Files, trial: str, attempt: int, every: float):
        """``place``: of the sweep; ``every``: seconds between checkpoints."""
        self.place, self.trial, self.attempt, self.every = place, trial, attempt, every
        self.notes: list[str] = []
        self._written = time.monotonic()

    @property
    def due(self) -> bool:
        try:
            return time.monotonic() - self._written >= self.every or bool(self.place.names(CLOSING))
        except InputError as error:
            self.notes.append(str(error))
            return False

    def write(self, epoch: int, state: dict[str, Any]) -> None:
        """Write ``state`` (tensors and plain values); keep it and the one before it."""
        content = serialised(state)
        stem = f"{epoch:05d}-{self.attempt:03d}-{_digest(content)}"
        name = f"{checkpoints_of(self.trial)}/{stem}.pt"
        try:
            self.place.write(name, content)
            there = self._names()
            for other in {*there} - {*there[there.index(name) :][:KEPT]}:
                self.place.remove(other)  # older, or of an attempt that was never heard out
        except InputError as error:
            self.notes.append(f"{error}; the trial goes on without this checkpoint")
        self._written = time.monotonic()

    def newest(self, up_to: int) -> dict[str, Any] | None:
        """Return the newest whole state of an epoch that is not after ``up_to``; None: there is none."""
        for name in self._names_if_any():
            stem = name.rpartition("/")[2].removesuffix(".pt")
            if int(stem.partition("-")[0]) > up_to:
                continue
            try:
                content = self.place.read(name)
                if _digest(content) == stem.rpartition("-")[2]:
                    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
                self.notes.append(f"checkpoint {self.place}/{name} is damaged: the one before it is used")
            except (OSError, InputError) as error:
                reason = f"{getattr(error, 'strerror', error)}; the one before is used"
                self.notes.append(f"cannot read checkpoint {self.place}/{name}: {reason}")
        return None

    def _names_if_any(self) -> list[str]:
        try:
            return self._names()
        except InputError as error:
            self.notes.append(f"{error}; the trial begins anew")
            return []

    def _names(self) -> list[str]:
        """Return the names, newest first."""
        return self.place.names(f"{checkpoints_of(self.trial)}/[0-9]*-[0-9]*-*.pt")[::-1]


def serialised(state: dict[str, Any]) -> bytes:
    """Return a state as torch.save writes it."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
