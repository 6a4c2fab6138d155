"""Where images come from. Every source is decoded once into arrays on disk that runs map."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lt_core.data import readers as decode
from lt_core.errors import InputError
from lt_core.registry import nearest

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Decoded images: uint8 [N, S, S, channels] (memory-mapped) and labels int64 [N], train and test."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    val_per_class: int | None
    long_tailed: bool
    fingerprint: str

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def image_size(self) -> int:
        return self.train_images.shape[1]

    @property
    def train_counts(self) -> np.ndarray:
        return np.bincount(self.train_labels, minlength=self.num_classes)


def load_dataset(spec: str, data_dir: str | Path = "data", image_size: int | None = None) -> Dataset:
    """Open ``spec``: digits, cifar10, cifar100, parquet:DIR or folder:DIR.

    Downloads and decoded arrays live under ``data_dir``; ``image_size`` resizes, in pixels.

    Raises:
        InputError: unknown spec; files missing, empty or corrupt; labels out of range.
    """
    kind, _, where = spec.partition(":")
    if kind not in decode.SOURCES or bool(where) != (kind in decode.NEEDS_FOLDER):
        known = [f"{k}:DIR" if k in decode.NEEDS_FOLDER else k for k in decode.SOURCES]
        raise InputError(f"unknown dataset {nearest(spec, known)}")
    root = Path(where) if where else Path(data_dir)
    if where and not root.is_dir():
        raise InputError(f"dataset {spec}: {root} is not a folder")
    cache = Path(data_dir) / "decoded" / _key(kind, root, image_size)
    if not (cache / "meta.json").exists():
        _build(cache, decode.SOURCES[kind](root, image_size))
    return _open(cache)


def _key(kind: str, root: Path, image_size: int | None) -> str:
    """Name the cache after what it holds; a user's files are known by path, size and time of change."""
    files: list[Path] = []
    if kind == "parquet":
        files = [file for split in ("train", "test") for file in decode.parquet_files(root, split)]
    elif kind == "folder":
        files = sorted(path for path in root.rglob("*") if path.is_file())
    stats = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    identity = json.dumps([kind, image_size, stats])
    return f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _build(cache: Path, decoded: decode.Decoded) -> None:
    """Write the arrays beside ``cache`` and rename, so that a cache is whole or not there."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=cache.parent, prefix=".building-"))
    except OSError as error:
        raise InputError(f"cannot write under {cache.parent}: {error.strerror}; choose --data-dir") from None
    try:
        digest = hashlib.sha256()
        for name in ARRAYS:
            array = np.ascontiguousarray(getattr(decoded, name))
            np.save(building / f"{name}.npy", array)
            digest.update(array.tobytes())
        meta = {
            "name": decoded.name,
            "class_names": decoded.class_names,
            "val_per_class": decoded.val_per_class,
            "long_tailed": decoded.long_tailed,
            "fingerprint": digest.hexdigest()[:16],
        }
        (building / "meta.json").write_text(json.dumps(meta))
        try:
            os.rename(building, cache)
        except OSError:
            if not cache.exists():  # else another process was faster, with the same arrays
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _open(cache: Path) -> Dataset:
    try:
        meta = json.loads((cache / "meta.json").read_text())
        arrays = {name: np.load(cache / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    except (OSError, ValueError) as error:
        raise InputError(f"the decoded copy {cache} is damaged ({error}): delete that folder") from None
    meta["class_names"] = tuple(meta["class_names"])
    for name in ("train_labels", "test_labels"):
        arrays[name] = np.asarray(arrays[name])
    return Dataset(**meta, **arrays)
