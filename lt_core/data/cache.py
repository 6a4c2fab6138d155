"""The decoded copy of a source: arrays on disk that every run maps, whole or not there."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from lt_core.data.sources import SOURCES, Decoded
from lt_core.errors import InputError

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
FORMAT = 3  # of what meta.json says


def fields(kind: str, root: Path, data_dir: Path, image_size: int | None) -> dict[str, Any]:
    """Return the fields of a Dataset: from the copy under ``data_dir``, which is made where there is none."""
    copy = data_dir / "decoded" / _key(kind, root, image_size)
    if not (copy / "meta.json").exists():
        _build(copy, SOURCES[kind].read(root, image_size))
    return _open(copy)


def _key(kind: str, root: Path, image_size: int | None) -> str:
    """Name the cache after what it holds; a user's files are known by path, size and time of change."""
    reads = SOURCES[kind].files
    files = reads(root) if reads else []
    stats = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    identity = json.dumps([FORMAT, kind, image_size, stats])
    return f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _build(cache: Path, decoded: Decoded) -> None:
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
        meta = {name: value for name, value in vars(decoded).items() if name not in ARRAYS}
        meta["fingerprint"] = digest.hexdigest()[:16]
        (building / "meta.json").write_text(json.dumps(meta))
        try:
            os.rename(building, cache)
        except OSError:
            if not cache.exists():  # else another process was faster, with the same arrays
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _open(cache: Path) -> dict[str, Any]:
    try:
        meta = json.loads((cache / "meta.json").read_text())
        arrays = {name: np.load(cache / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    except (OSError, ValueError) as error:
        raise InputError(f"the decoded copy {cache} is damaged ({error}): delete that folder") from None
    meta["class_names"], meta["notes"] = tuple(meta["class_names"]), tuple(meta["notes"])
    for name in ("train_labels", "test_labels"):
        arrays[name] = np.asarray(arrays[name])
    return meta | arrays
