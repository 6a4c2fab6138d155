"""scikit-learn's digits."""

from pathlib import Path

import numpy as np

from lt_core import seeds
from lt_core.data.images import Progress, resize
from lt_core.data.longtail import hold_out
from lt_core.data.sources import SOURCES, Decoded

TEST_PER_CLASS = 50


@SOURCES.register("digits")
def digits(root: Path, image_size: int | None, progress: Progress | None = None) -> Decoded:
    """scikit-learn's bundled digits, 8x8 grey; 50 test images a class, the same for everybody."""
    from sklearn.datasets import load_digits  # slow to import, and only this reader needs it

    bunch = load_digits()
    labels = bunch.target.astype(np.int64)
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    images = resize(images, image_size)[..., None]
    test, train = hold_out(labels, np.full(10, TEST_PER_CLASS), seeds.generator(0, "digits", "test"))
    return Decoded(
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        class_names=[str(digit) for digit in range(10)],
        val_per_class=20,
        flips=False,  # a mirrored digit is none
        max_imbalance_ratio=50.0,  # of its 104 to train on, the rarest class keeps two
        preset="digits",
    )
