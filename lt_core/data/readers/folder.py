"""A tree of image files, a folder a class."""

from pathlib import Path
from typing import Any

import numpy as np

from lt_core import seeds
from lt_core.data.images import Decoder, Progress, stack
from lt_core.data.labels import number_classes
from lt_core.data.layout import layout_of
from lt_core.data.longtail import hold_out
from lt_core.data.sources import SOURCES, Decoded, identity, is_long_tailed
from lt_core.words import count, printable

IMAGE_SIZE = 32


def what_is_read(root: Path) -> list[Any]:
    """Return the identity of the image files, and how the tree was understood."""
    layout = layout_of(root)
    return [identity(root, layout.files), layout.notes]


@SOURCES.register("folder", reads=what_is_read)
def folder(root: Path, image_size: int | None, progress: Progress | None = None) -> Decoded:
    """train/CLASS and test/CLASS, or one tree of classes of which a fixed stratified fifth is the test."""
    layout = layout_of(root)
    decoder = Decoder(image_size or IMAGE_SIZE, len(layout.files), progress)
    images = stack([decoder.decode(file, printable(str(file))) for file in layout.files], str(root))
    names = [name for name, _ in [*layout.train, *(layout.test or [])]]
    n = len(layout.train)
    tested = names[:n] if layout.test is None else names[n:]
    classes = number_classes(names[:n], tested, sorted(set(names)), str(root))
    if layout.test is None:
        fifth = np.maximum(np.bincount(classes.train) // 5, 1)
        test, train = hold_out(classes.train, fifth, seeds.generator(0, "folder", "test"), classes.names)
        test_labels = classes.train[test]
        held = f"; a fifth of each class is held out as test, {count(len(test), 'image')}"
        notes = [layout.notes[0] + held, *layout.notes[1:]]
    else:
        train, test = np.arange(n), np.arange(n, len(names))
        test_labels, notes = classes.test, layout.notes
    return Decoded(
        name=printable(root.resolve().name) or "/",
        train_images=images[train],
        train_labels=classes.train[train],
        test_images=images[test],
        test_labels=test_labels,
        class_names=classes.names,
        val_per_class=None,
        long_tailed=is_long_tailed(classes.train[train]),
        notes=[*notes, *classes.notes, *decoder.notes()],
    )
