"""Decoded images, and how they are opened."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lt_core.data import cache, readers  # noqa: F401  (each reader enters its source)
from lt_core.data.images import Progress
from lt_core.data.sources import SOURCES
from lt_core.errors import InputError, Unavailable
from lt_core.registry import nearest


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Decoded images: uint8 [N, S, S, channels] (memory-mapped) and labels int64 [N], train and test.

    Attributes:
        name: what tables call it.
        val_per_class: validation images of each class; None: a share of them.
        long_tailed: by nature, so that it is used as it is.
        flips: a mirrored image is one of its class.
        max_imbalance_ratio: the largest that leaves its tail something to learn from; None: by its counts.
        benchmark: the one that it is, or is a copy of, as published figures name it.
        preset: the budget that is made for it; None: by the machine.
        notes: what a person must know of how it was read: a line each.
        fingerprint: a digest of the arrays.
        copy: the folder that the arrays are mapped from, with which `open_copy` opens the same.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    val_per_class: int | None
    long_tailed: bool
    flips: bool
    max_imbalance_ratio: float | None
    benchmark: str | None
    preset: str | None
    notes: tuple[str, ...] = ()
    fingerprint: str
    copy: str

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def image_size(self) -> int:
        return self.train_images.shape[1]

    @property
    def train_counts(self) -> np.ndarray:
        return np.bincount(self.train_labels, minlength=self.num_classes)


def load_dataset(
    spec: str,
    data_dir: str | Path = "data",
    image_size: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Open ``spec``: digits, cifar10, cifar100, parquet:DIR or folder:DIR.

    Downloads and decoded arrays live under ``data_dir``; ``image_size`` resizes, in pixels; ``progress`` is
    told how many of how many images are decoded.

    Raises:
        InputError: unknown spec; files missing (Unavailable), empty or corrupt; labels out of range.
    """
    kind, _, where = spec.partition(":")
    if kind not in SOURCES or bool(where) != (SOURCES[kind].reads is not None):
        known = [f"{k}:DIR" if source.reads else k for k, source in SOURCES.items()]
        raise InputError(f"unknown dataset {nearest(spec, known)}")
    root, data_dir = Path(where or data_dir).expanduser(), Path(data_dir).expanduser()
    if where and not root.is_dir():
        raise Unavailable(f"dataset {spec}: {root} is not a folder: check the path")
    return Dataset(**cache.fields(kind, root, data_dir, image_size, progress))


def open_copy(copy: str) -> Dataset:
    """Open the decoded copy that an earlier `load_dataset` has left; raise InputError where it is damaged."""
    return Dataset(**cache.opened(Path(copy)))
