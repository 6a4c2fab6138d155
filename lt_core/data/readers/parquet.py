"""Encoded images in Parquet files, as dataset hubs keep them."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lt_core.data.images import decode, stack
from lt_core.data.sources import SOURCES, Decoded, is_long_tailed
from lt_core.errors import InputError

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
JPEG = b"\xff\xd8"  # how such a file begins


def parquet_files(root: Path) -> list[Path]:
    """Return the files of both splits."""
    return [file for split in ("train", "test") for file in _files(root, split)]


@SOURCES.register("parquet", files=parquet_files)
def parquet(root: Path, image_size: int | None) -> Decoded:
    """Files train*.parquet and test*.parquet: a column of image bytes (img or image) and one of labels."""
    train, test = (_read_parquet(root, split, image_size) for split in ("train", "test"))
    names = train.names or [str(k) for k in range(int(train.labels.max()) + 1)]
    for split, read in (("train", train), ("test", test)):
        _check_labels(read.labels, names, f"{root}/{split}*.parquet")
    cifar10 = names == CIFAR10 and np.bincount(test.labels).tolist() == [1000] * 10
    return Decoded(
        name=f"CIFAR-10, {train.format}" if cifar10 else root.resolve().name,
        train_images=train.images,
        train_labels=train.labels,
        test_images=test.images,
        test_labels=test.labels,
        class_names=names,
        long_tailed=is_long_tailed(train.labels),
        benchmark="CIFAR-10" if cifar10 else None,
    )


@dataclass(frozen=True)
class Split:
    """What the files of a split hold; names: of the classes, where they are in the schema."""

    images: np.ndarray
    labels: np.ndarray
    names: list[str] | None
    format: str


def _read_parquet(root: Path, split: str, image_size: int | None) -> Split:
    files = _files(root, split)
    if not files:
        raise InputError(f"{root} has no {split}*.parquet")
    images: list[np.ndarray] = []
    labels: list[int] = []
    names, kind = None, ""
    for file in files:
        try:
            table = pq.read_table(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{file} is not a readable Parquet file: {error}") from None
        image_column = _column(table, ("img", "image"), file)
        label_column = _column(table, ("label", "fine_label", "labels"), file)
        names = names or _names_in_schema(table, label_column)
        for row, cell in enumerate(table[image_column]):
            data = cell.as_py()
            data = data.get("bytes") if isinstance(data, dict) else data
            if not isinstance(data, bytes):
                raise InputError(f"{file}, row {row}: column {image_column!r} holds no image bytes")
            kind = kind or ("JPEG" if data.startswith(JPEG) else "encoded")
            images.append(decode(io.BytesIO(data), f"{file}, row {row}", image_size))
        values = table[label_column]
        if values.null_count or not pa.types.is_integer(values.type):
            raise InputError(f"{file}: column {label_column!r} must hold whole numbers without gaps")
        labels.extend(values.to_pylist())
    found = stack(images, f"{root}/{split}*.parquet")
    return Split(found, np.asarray(labels, dtype=np.int64), names, kind)


def _files(root: Path, split: str) -> list[Path]:
    """Return the files of a split, in order."""
    return sorted([*root.glob(f"{split}*.parquet"), *root.glob(f"data/{split}*.parquet")])


def _column(table: pa.Table, candidates: tuple[str, ...], file: Path) -> str:
    for name in candidates:
        if name in table.column_names:
            return name
    raise InputError(f"{file} has the columns {table.column_names}, none of them {' or '.join(candidates)}")


def _names_in_schema(table: pa.Table, label_column: str) -> list[str] | None:
    """Class names, where the schema's metadata carry them as dataset hubs do."""
    metadata = (table.schema.metadata or {}).get(b"huggingface")
    info = json.loads(metadata).get("info", {}) if metadata else {}
    return info.get("features", {}).get(label_column, {}).get("names")


def _check_labels(labels: np.ndarray, names: Sequence[str], where: str) -> None:
    if labels.min() < 0 or labels.max() >= len(names):
        bad = int(np.flatnonzero((labels < 0) | (labels >= len(names)))[0])
        last = len(names) - 1
        raise InputError(f"{where}: label {labels[bad]} in row {bad} is out of range (classes: 0 to {last})")
