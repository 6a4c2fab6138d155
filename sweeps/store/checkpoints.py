"""Checkpoints of one run: files that appear whole, prove their content, and never execute when read."""

import hashlib
import io
import os
import time
from pathlib import Path
from typing import Any

import torch

KEPT = 2  # the newest may be ahead of what was reported, or be damaged later
CLOSING = "closing"  # a file of this name beside the runs' folders asks every run for a checkpoint


class Checkpoints:
    """The checkpoints of one run, in a folder of its own.

    A file is called EPOCH-ATTEMPT-DIGEST.pt. Attempts never write over each other: a process that
    outlives its sweep by seconds cannot harm the attempt that took over.

    Attributes:
        notes: a line for each file that could not be read or written; the run goes on without it.
    """

    def __init__(self, folder: Path, attempt: int, every: float):
        """``every``: seconds between checkpoints."""
        self.folder, self.attempt, self.every = folder, attempt, every
        self.notes: list[str] = []
        self._written = time.monotonic()

    @property
    def due(self) -> bool:
        late = time.monotonic() - self._written >= self.every
        return late or (self.folder.parent / CLOSING).exists()

    def write(self, epoch: int, state: dict[str, Any]) -> None:
        """Write ``state`` (tensors and plain values); keep it and the one before it."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getbuffer()
        path = self.folder / f"{epoch:05d}-{self.attempt:03d}-{_digest(content)}.pt"
        temporary = path.with_suffix(".tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            files = self._files()
            for other in {*files} - {*files[files.index(path) :][:KEPT]}:
                other.unlink(missing_ok=True)  # older, or of an attempt that was never heard out
        except OSError as error:
            self.notes.append(f"cannot write checkpoint {path}: {error.strerror}; the trial goes on")
            temporary.unlink(missing_ok=True)
        self._written = time.monotonic()

    def newest(self, up_to: int) -> dict[str, Any] | None:
        """Return the newest whole state of an epoch that is not after ``up_to``; None: there is none."""
        for path in self._files():
            if int(path.name.partition("-")[0]) > up_to:
                continue
            try:
                content = path.read_bytes()
                if _digest(content) == path.stem.rpartition("-")[2]:
                    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
                self.notes.append(f"checkpoint {path} is damaged: the one before it is used")
            except OSError as error:
                self.notes.append(f"cannot read checkpoint {path}: {error.strerror}; the one before is used")
        return None

    def _files(self) -> list[Path]:
        """Return the files, newest first."""
        return sorted(self.folder.glob("[0-9]*-[0-9]*-*.pt"), reverse=True)


def _digest(content: Any) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
