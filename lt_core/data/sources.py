"""Where images come from: the registry of readers, and what a reader returns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lt_core.data.images import Progress
from lt_core.registry import Registry
from lt_core.words import printable


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What a reader returns; fields as in lt_core.data.dataset.Dataset."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: Sequence[str]
    val_per_class: int | None = None
    long_tailed: bool = False
    flips: bool = True
    max_imbalance_ratio: float | None = None
    benchmark: str | None = None
    preset: str | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Source:
    """A reader, and what others must know of it.

    Attributes:
        read: from a folder, the side to resize to (None: as they are) and who is told how many images of how
            many are decoded (None: nobody) to what the folder holds.
        reads: for a source that is called kind:DIR, what its result depends on (see `identity`), as JSON has
            it; None: one that is called by its name alone, whose folder is where downloads are kept.
    """

    read: Callable[[Path, int | None, Progress | None], Decoded]
    reads: Callable[[Path], list[Any]] | None = None


SOURCES: Registry[Source] = Registry(Source)


def identity(root: Path, files: Iterable[Path]) -> list[Any]:
    """Return what tells the bytes of files from others': where they really are, and when they changed. Names
    below ``root`` count as well, since classes are called by them."""
    return [_identity(root, file) for file in files]


def _identity(root: Path, file: Path) -> list[Any]:
    stat = file.stat()
    name, place = (printable(str(path)) for path in (file.relative_to(root), file.resolve()))
    return [name, place, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def is_long_tailed(labels: np.ndarray) -> bool:
    """Say whether the largest class has more than twice the images of the smallest."""
    counts = np.bincount(labels)
    return bool(counts.max() > 2 * counts.min())
