"""Readers of each kind of source: from files to arrays, with every complaint about bad files."""

import io
import json
import pickle
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from lt_core import seeds
from lt_core.data.longtail import hold_out
from lt_core.errors import InputError, Unavailable

FOLDER_IMAGE_SIZE = 32
DIGITS_TEST_PER_CLASS = 50
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
DOWNLOAD_TIMEOUT = 20  # seconds without a byte


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What a reader returns; fields as in lt_core.data.sources.Dataset."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: Sequence[str]
    val_per_class: int | None
    long_tailed: bool = False


def digits(root: Path, image_size: int | None) -> Decoded:
    """scikit-learn's bundled digits, 8x8 grey; 50 test images a class, the same for everybody."""
    from sklearn.datasets import load_digits  # slow to import, and only this reader needs it

    bunch = load_digits()
    labels = bunch.target.astype(np.int64)
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    images = _resize(images, image_size)[..., None]
    test, train = hold_out(labels, np.full(10, DIGITS_TEST_PER_CLASS), seeds.generator(0, "digits", "test"))
    return Decoded(
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        class_names=[str(digit) for digit in range(10)],
        val_per_class=20,
    )


def cifar10(root: Path, image_size: int | None) -> Decoded:
    """CIFAR-10: 500 validation images a class."""
    return _cifar("CIFAR10", "CIFAR-10", 500, root, image_size)


def cifar100(root: Path, image_size: int | None) -> Decoded:
    """CIFAR-100: 50 validation images a class."""
    return _cifar("CIFAR100", "CIFAR-100", 50, root, image_size)


def _cifar(kind: str, name: str, val_per_class: int, root: Path, image_size: int | None) -> Decoded:
    """torchvision's copy: from ``root`` when it is there and whole, else downloaded and checked."""
    from torchvision import datasets

    cls = getattr(datasets, kind)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)  # torchvision sets none, and would wait for ever
    try:
        root.mkdir(parents=True, exist_ok=True)
        train, test = cls(root, train=True, download=True), cls(root, train=False)
    except (URLError, OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise Unavailable(
            f"{name} is not whole under {root} and cannot be fetched ({error}): put the archive there, "
            "or use --dataset parquet:DIR, folder:DIR or digits"
        ) from None
    finally:
        socket.setdefaulttimeout(timeout)
    return Decoded(
        name=name,
        train_images=_resize(train.data, image_size),
        train_labels=np.asarray(train.targets, dtype=np.int64),
        test_images=_resize(test.data, image_size),
        test_labels=np.asarray(test.targets, dtype=np.int64),
        class_names=train.classes,
        val_per_class=val_per_class,
    )


def parquet(root: Path, image_size: int | None) -> Decoded:
    """Files train*.parquet and test*.parquet: a column of image bytes (img or image) and one of labels."""
    train, test = (_read_parquet(root, split, image_size) for split in ("train", "test"))
    names = train[2] or [str(k) for k in range(int(train[1].max()) + 1)]
    for split, (_, labels, _) in (("train", train), ("test", test)):
        _check_labels(labels, names, f"{root}/{split}*.parquet")
    return Decoded(
        name=_parquet_name(root),
        train_images=train[0],
        train_labels=train[1],
        test_images=test[0],
        test_labels=test[1],
        class_names=names,
        val_per_class=None,
        long_tailed=_is_long_tailed(train[1]),
    )


def _parquet_name(root: Path) -> str:
    """Name the data in every table: the folder's own name, CIFAR spelled as the field does."""
    name = root.resolve().name
    return "CIFAR-10, JPEG" if name == "cifar10-jpeg" else name


def _read_parquet(
    root: Path, split: str, image_size: int | None
) -> tuple[np.ndarray, np.ndarray, list[str] | None]:
    files = parquet_files(root, split)
    if not files:
        raise InputError(f"{root} has no {split}*.parquet")
    images: list[np.ndarray] = []
    labels: list[int] = []
    names = None
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
            images.append(_decode(io.BytesIO(data), f"{file}, row {row}", image_size))
        values = table[label_column]
        if values.null_count or not pa.types.is_integer(values.type):
            raise InputError(f"{file}: column {label_column!r} must hold whole numbers without gaps")
        labels.extend(values.to_pylist())
    return _stack(images, f"{root}/{split}*.parquet"), np.asarray(labels, dtype=np.int64), names


def parquet_files(root: Path, split: str) -> list[Path]:
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


def folder(root: Path, image_size: int | None) -> Decoded:
    """train/CLASS and test/CLASS, or one tree of classes of which a fixed stratified fifth is the test."""
    size = image_size or FOLDER_IMAGE_SIZE
    if (root / "train").is_dir():
        images, labels, names = _read_folder(root / "train", size)
        test_images, test_labels, test_names = _read_folder(root / "test", size)
        if test_names != names:
            raise InputError(f"{root}: train and test have different classes, {names} and {test_names}")
    else:
        all_images, all_labels, names = _read_folder(root, size)
        fifth = np.maximum(np.bincount(all_labels, minlength=len(names)) // 5, 1)
        test, train = hold_out(all_labels, fifth, seeds.generator(0, "folder", "test"))
        images, labels = all_images[train], all_labels[train]
        test_images, test_labels = all_images[test], all_labels[test]
    return Decoded(
        name=root.resolve().name,
        train_images=images,
        train_labels=labels,
        test_images=test_images,
        test_labels=test_labels,
        class_names=names,
        val_per_class=None,
        long_tailed=_is_long_tailed(labels),
    )


def _read_folder(root: Path, image_size: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    from torchvision.datasets import ImageFolder

    try:
        tree = ImageFolder(str(root))
    except FileNotFoundError as error:
        raise InputError(f"{root}: {error}") from None
    images = [_decode(path, path, image_size) for path, _ in tree.samples]
    return _stack(images, str(root)), np.asarray(tree.targets, dtype=np.int64), tree.classes


def _is_long_tailed(labels: np.ndarray) -> bool:
    counts = np.bincount(labels)
    return bool(counts.max() > 2 * counts.min())


def _decode(file: Any, where: str, image_size: int | None) -> np.ndarray:
    try:
        with Image.open(file) as image:
            if image.mode not in EIGHT_BIT_MODES:
                raise InputError(f"{where}: image mode {image.mode}: convert it to 8 bits a channel")
            rgb = image.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises
        raise InputError(f"{where}: not a readable image ({type(error).__name__})") from None
    if image_size:
        rgb = rgb.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return np.asarray(rgb)


def _stack(images: list[np.ndarray], where: str) -> np.ndarray:
    if not images:
        raise InputError(f"{where} holds no image")
    shapes = {image.shape for image in images}
    if len(shapes) > 1 or images[0].shape[0] != images[0].shape[1]:
        raise InputError(f"{where}: images are not all of one square size: give --set image_size=32")
    return np.stack(images)


def _check_labels(labels: np.ndarray, names: Sequence[str], where: str) -> None:
    if labels.min() < 0 or labels.max() >= len(names):
        bad = int(np.flatnonzero((labels < 0) | (labels >= len(names)))[0])
        last = len(names) - 1
        raise InputError(f"{where}: label {labels[bad]} in row {bad} is out of range (classes: 0 to {last})")


def _resize(images: np.ndarray, image_size: int | None) -> np.ndarray:
    """Resize uint8 [N, S, S] or [N, S, S, 3] to ``image_size`` pixels."""
    if image_size is None or image_size == images.shape[1]:
        return images
    square = (image_size, image_size)
    return np.stack(
        [np.asarray(Image.fromarray(i).resize(square, Image.Resampling.BILINEAR)) for i in images]
    )


NEEDS_FOLDER = ("parquet", "folder")
SOURCES: dict[str, Callable[[Path, int | None], Decoded]] = {
    "digits": digits,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "parquet": parquet,
    "folder": folder,
}
