"""The decoded copy of a source: arrays on disk that every run maps, whole or not there."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from lt_core.data.images import Progress
from lt_core.data.sources import SOURCES, Decoded
from lt_core.errors import InputError

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
FORMAT = 3  # of what meta.json says


def fields(
    kind: str, root: Path, data_dir: Path, image_size: int | None, progress: Progress | None
) -> dict[str, Any]:
    """Return the fields of a Dataset: from the copy under ``data_dir``, which is made where there is none."""
    key = _key(kind, root, image_size)
    copy = data_dir / "decoded" / key
    if not (copy / "meta.json").exists():
        decoded = SOURCES[kind].read(root, image_size, progress)
        if _key(kind, root, image_size) != key:
            raise InputError(f"files under {root} changed while they were read: start again")
        _build(copy, decoded)
    return opened(copy)


def _key(kind: str, root: Path, image_size: int | None) -> str:
    """Name the copy after what was read."""
    reads = SOURCES[kind].reads
    try:
        about = reads(root) if reads else []
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from None
    identity = json.dumps([FORMAT, PIL.__version__ if reads else None, kind, image_size, about])
    return f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _build(cache: Path, decoded: Decoded) -> None:
    """Write the arrays beside ``cache`` and rename, so that a copy is whole or not there."""
    building = None
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=cache.parent, prefix=".building-"))
        _write(building, decoded)
        try:
            os.rename(building, cache)
        except OSError:
            if not cache.exists():  # else another process was faster, with the same arrays
                raise
    except OSError as error:
        why = f"{error.strerror or error}; choose --data-dir"
        raise InputError(f"cannot write decoded images under {cache.parent}: {why}") from None
    finally:
        if building:
            shutil.rmtree(building, ignore_errors=True)


def _write(folder: Path, decoded: Decoded) -> None:
    digest = hashlib.sha256()
    for name in ARRAYS:
        array = np.ascontiguousarray(getattr(decoded, name))
        np.save(folder / f"{name}.npy", array)
        digest.update(array.tobytes())
    meta = {name: value for name, value in vars(decoded).items() if name not in ARRAYS}
    meta["fingerprint"] = digest.hexdigest()[:16]
    (folder / "meta.json").write_text(json.dumps(meta))


def opened(cache: Path) -> dict[str, Any]:
    """Return the fields of a Dataset from the copy in the folder ``cache``, its arrays mapped."""
    try:
        meta = json.loads((cache / "meta.json").read_text())
        arrays = {name: np.load(cache / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    except (OSError, ValueError) as error:
        raise InputError(f"the decoded copy {cache} is damaged ({error}): delete that folder") from None
    meta["copy"] = str(cache.resolve())
    meta["class_names"], meta["notes"] = tuple(meta["class_names"]), tuple(meta["notes"])
    for name in ("train_labels", "test_labels"):
        arrays[name] = np.asarray(arrays[name])
    return meta | arrays
