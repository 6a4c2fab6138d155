"""Encoded images in Parquet files, as dataset hubs keep them."""

import io
import json
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lt_core.data.images import Decoder, Progress, stack
from lt_core.data.labels import number_classes, unique_names
from lt_core.data.sources import SOURCES, Decoded, identity, is_long_tailed
from lt_core.errors import InputError

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
IMAGE_COLUMNS = ("img", "image")
LABEL_COLUMNS = ("label", "fine_label", "labels")
SHARD = re.compile(r"-(\d+)-of-(\d+)\.parquet$")
JPEG = b"\xff\xd8"  # how such a file begins


@dataclass(frozen=True)
class Shard:
    """A file that can be opened: its columns, and the class names of its schema, by label; None: has none."""

    file: Path
    rows: int
    image: str
    label: str
    names: list[str] | None
    notes: list[str]


def files_of(root: Path) -> tuple[list[Path], list[Path]]:
    """Return the files of train and of test, in order.

    Raises:
        InputError: a split has none, has some here and in data/, or not all of those that its names speak of.
    """
    found = []
    for split in ("train", "test"):
        here, below = sorted(root.glob(f"{split}*.parquet")), sorted(root.glob(f"data/{split}*.parquet"))
        if here and below:
            raise InputError(f"{root} holds {here[0].name} and data/{below[0].name}: keep one of them")
        if not (here or below):
            raise InputError(f"{root} has no {split}*.parquet")
        found.append(here or below)
        _check_whole(here or below)
    return found[0], found[1]


def _check_whole(files: list[Path]) -> None:
    """Refuse files whose names speak of others that are not there: train-00000-of-00002.parquet alone."""
    there: dict[str, set[int]] = {}
    for match in filter(None, (SHARD.search(file.name) for file in files)):
        there.setdefault(match[2], set()).add(int(match[1]))
    if len(there) > 1:
        sets = " and of ".join(sorted(there))
        raise InputError(f"{files[0].parent} holds shards of {sets} beside {files[0].name}: keep one set")
    for of, numbers in there.items():
        if missing := sorted(set(range(int(of))) - numbers):
            shard = f"{missing[0]:0{len(of)}d}-of-{of}"
            raise InputError(f"{files[0].parent} lacks {shard} beside {files[0].name}, {int(of)} in all")


def what_is_read(root: Path) -> list[Any]:
    """Return the identity of the files, and what lies beside them."""
    train, test = files_of(root)
    return [identity(root, [*train, *test]), _beside(root)]


@SOURCES.register("parquet", reads=what_is_read)
def parquet(root: Path, image_size: int | None, progress: Progress | None = None) -> Decoded:
    """Files train*.parquet and test*.parquet: a column of image bytes (img or image) and one of labels."""
    train, test = ([_open(file) for file in files] for files in files_of(root))
    shards = [*train, *test]
    _agree(shards)
    decoder = Decoder(image_size, sum(shard.rows for shard in shards), progress)
    read = {shard.file: _read(shard, decoder) for shard in shards}
    images = stack([image for found, _ in read.values() for image in found], f"{root}/*.parquet")
    labels = [[label for shard in of_split for label in read[shard.file][1]] for of_split in (train, test)]
    for split, of_split in zip(("train", "test"), labels, strict=True):
        if not of_split:
            raise InputError(f"{root}/{split}*.parquet holds no image")
    n = len(labels[0])
    classes = number_classes(labels[0], labels[1], _order(shards, labels, root), str(root))
    cifar10 = classes.names == CIFAR10 and np.bincount(classes.test).tolist() == [1000] * 10
    kind = "JPEG" if _first_image(train[0]).startswith(JPEG) else "encoded"
    notes = [_beside(root), *(note for shard in shards for note in shard.notes)]
    return Decoded(
        name=f"CIFAR-10, {kind}" if cifar10 else root.resolve().name,
        train_images=images[:n],
        train_labels=classes.train,
        test_images=images[n:],
        test_labels=classes.test,
        class_names=classes.names,
        long_tailed=is_long_tailed(classes.train),
        benchmark="CIFAR-10" if cifar10 else None,
        notes=list(dict.fromkeys(filter(None, [*notes, *classes.notes, *decoder.notes()]))),
    )


def _beside(root: Path) -> str:
    """Return what is said of Parquet files that are in no split; nothing where there are none."""
    split = {path for files in files_of(root) for path in files}
    others = sorted({*root.glob("*.parquet"), *root.glob("data/*.parquet")} - split)
    named = ", ".join(path.name for path in others[:3])
    return f"not read, called neither train nor test: {named} ({len(others)} in all)" if others else ""


def _open(file: Path) -> Shard:
    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file} is not a readable Parquet file: {_line(error)}") from None
    with opened:
        schema, rows = opened.schema_arrow, opened.metadata.num_rows
    image, label = (_column(schema, known, file) for known in (IMAGE_COLUMNS, LABEL_COLUMNS))
    names, why_not = _names_in_schema(schema, label)
    if why_not:
        return Shard(file, rows, image, label, None, [f"class names of {file.name} are not used: {why_not}"])
    names, notes = unique_names(names) if names else (None, [])
    return Shard(file, rows, image, label, names, notes)


def _column(schema: pa.Schema, candidates: tuple[str, ...], file: Path) -> str:
    found = [name for name in candidates if name in schema.names]
    if not found:
        raise InputError(f"{file} has the columns {schema.names}, none of them {' or '.join(candidates)}")
    return found[0]


def _names_in_schema(schema: pa.Schema, label: str) -> tuple[list[str] | None, str]:
    """Return the class names that the schema's metadata carry, as dataset hubs do, or why they are no use."""
    metadata = (schema.metadata or {}).get(b"huggingface")
    if metadata is None:
        return None, ""
    try:
        about: Any = json.loads(metadata)
    except ValueError:
        return None, "its metadata are not JSON"
    for key in ("info", "features", label):
        if not isinstance(about, dict):
            return None, f"its metadata have no {key!r} where it should be"
        about = about.get(key)
    names = about.get("names") if isinstance(about, dict) else None
    if names is None:
        return None, ""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return None, "they are no list of names"
    return names, ""


def _agree(shards: list[Shard]) -> None:
    """Refuse files that cannot be read as one data set."""
    first = shards[0]
    for shard in shards:
        for what in ("image", "label"):
            if getattr(first, what) != getattr(shard, what):
                one, two = (f"{s.file} has the column {getattr(s, what)!r}" for s in (first, shard))
                raise InputError(f"{one}, {two}: give them one name")
        if (first.names is None) != (shard.names is None):
            named, bare = (first, shard) if first.names else (shard, first)
            raise InputError(
                f"{named.file} names its classes, {bare.file} does not: write names into all files, or none"
            )


def _read(shard: Shard, decoder: Decoder) -> tuple[list[np.ndarray], list[Hashable]]:
    """Return a file's images and their labels: names where there are names, else numbers."""
    try:
        table = pq.read_table(shard.file, columns=[shard.image, shard.label])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{shard.file} is not a readable Parquet file: {_line(error)}") from None
    labels = list(_labels(table[shard.label], shard))
    images = []
    for row, data in enumerate(_cells(table[shard.image])):
        where = f"{shard.file}, row {row}"
        if not isinstance(data, bytes):
            raise InputError(f"{where}: column {shard.image!r} holds no image bytes")
        images.append(decoder.decode(io.BytesIO(data), where))
    return images, labels


def _cells(column: pa.ChunkedArray) -> Iterator[Any]:
    for cell in column:
        value = cell.as_py()
        yield value.get("bytes") if isinstance(value, dict) else value


def _labels(column: pa.ChunkedArray, shard: Shard) -> Iterator[Hashable]:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if column.null_count or not (pa.types.is_integer(kind) or texts):
        raise InputError(
            f"{shard.file}: column {shard.label!r} must hold whole numbers or names, without gaps"
        )
    for row, label in enumerate(column.to_pylist()):
        if not texts and not 0 <= label < (len(shard.names) if shard.names else np.inf):
            last = f"0 to {len(shard.names) - 1}" if shard.names else "0 or more"
            raise InputError(f"{shard.file}: label {label} in row {row} is out of range (classes: {last})")
        yield shard.names[label] if shard.names and not texts else label


def _order(shards: list[Shard], labels: list[list[Hashable]], root: Path) -> list[Any]:
    """Return the labels in the order of the classes: as the files name them, else sorted."""
    different: set[Any] = {label for of_split in labels for label in of_split}
    if len({type(label) for label in different}) > 1:
        raise InputError(f"{root}: labels are numbers in some files and names in others: write one of them")
    named = dict.fromkeys(name for shard in shards for name in shard.names or [])
    return [*named, *sorted(different - named.keys())]


def _first_image(shard: Shard) -> bytes:
    with pq.ParquetFile(shard.file) as file:
        batch = next(file.iter_batches(1, columns=[shard.image]))
    return next(_cells(pa.chunked_array([batch.column(0)])))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
