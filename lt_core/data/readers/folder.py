"""A tree of image files, a folder a class."""

from pathlib import Path

import numpy as np

from lt_core import seeds
from lt_core.data.images import decode, stack
from lt_core.data.longtail import hold_out
from lt_core.data.sources import SOURCES, Decoded, is_long_tailed
from lt_core.errors import InputError

IMAGE_SIZE = 32


def all_files(root: Path) -> list[Path]:
    """Return every file of the tree."""
    return sorted(path for path in root.rglob("*") if path.is_file())


@SOURCES.register("folder", files=all_files)
def folder(root: Path, image_size: int | None) -> Decoded:
    """train/CLASS and test/CLASS, or one tree of classes of which a fixed stratified fifth is the test."""
    size = image_size or IMAGE_SIZE
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
        long_tailed=is_long_tailed(labels),
    )


def _read_folder(root: Path, image_size: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    from torchvision.datasets import ImageFolder

    try:
        tree = ImageFolder(str(root))
    except FileNotFoundError as error:
        raise InputError(f"{root}: {error}") from None
    images = [decode(path, path, image_size) for path, _ in tree.samples]
    return stack(images, str(root)), np.asarray(tree.targets, dtype=np.int64), tree.classes
