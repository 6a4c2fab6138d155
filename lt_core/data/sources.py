"""Where images come from: the registry of readers, and what a reader returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lt_core.registry import Registry


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
        read: from a folder and the side to resize to (None: as they are) to what it holds.
        files: the files of the folder that it reads, for a source that is called kind:DIR; None: one that is
            called by its name alone, whose folder is where downloads are kept.
    """

    read: Callable[[Path, int | None], Decoded]
    files: Callable[[Path], list[Path]] | None = None


SOURCES: Registry[Source] = Registry(Source)


def is_long_tailed(labels: np.ndarray) -> bool:
    """Say whether the largest class has more than twice the images of the smallest."""
    counts = np.bincount(labels)
    return bool(counts.max() > 2 * counts.min())
