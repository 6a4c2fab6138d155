"""What a trial and an epoch cost as classes, images and epochs grow; of trials, benchmarks.scale tells.

python -m benchmarks.growth.measure [--out growth.md]

Random images of 32 x 32, ConvNet, one thread; a test image for every two of training. *Set-up* is what a run
takes beside its epochs; *rows* is what its classes table takes to be made and written, and its bytes.
"""

import argparse
import io
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.train import train
from sweeps.engine.trainable import Arrays, class_rows, epoch_row

CLASSES, IMAGES, EPOCHS = (10, 100, 1000), (5_000, 20_000, 80_000), 3
MANY = 40  # epochs of a run whose first and last are compared


def main(argv: list[str] | None = None) -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.measure", description=__doc__)
    parser.add_argument("--out", type=Path, help="file that gets the tables")
    options = parser.parse_args(argv)
    lines = [
        "| classes | images | set-up, s | training, µs/image | evaluation, µs/image | rows, ms | bytes |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    sizes = [(classes, IMAGES[1]) for classes in CLASSES] + [(CLASSES[0], images) for images in IMAGES]
    lines += [row(classes, images) for classes, images in sizes]
    lines += ["", epochs_line()]
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 0


def noise(classes: int, images: int) -> Dataset:
    """Return random images, as many of each class."""
    rng = np.random.default_rng(0)
    train_images, test_images = (
        rng.integers(0, 256, (n, 32, 32, 3), np.uint8) for n in (images, images // 2)
    )
    return Dataset(
        name="noise",
        class_names=tuple(map(str, range(classes))),
        val_per_class=None,
        long_tailed=True,
        flips=False,
        max_imbalance_ratio=None,
        benchmark=None,
        preset=None,
        fingerprint="",
        copy="",
        train_images=train_images,
        train_labels=np.arange(len(train_images)) % classes,
        test_images=test_images,
        test_labels=np.arange(len(test_images)) % classes,
    )


def row(classes: int, images: int) -> str:
    """Train a few epochs and return their costs; of the epochs, the last counts."""
    data = noise(classes, images)
    config = TrainConfig.parse({"profile": "none", "evaluate_on": "test", "epochs": EPOCHS})
    started = time.perf_counter()
    epochs = list(train(config, data))
    whole, last = time.perf_counter() - started, epochs[-1]
    setup = whole - sum(epoch.train_seconds + epoch.eval_seconds for epoch in epochs)
    trained = int(last.train_confusion.sum()) if last.train_confusion is not None else 0
    assert last.eval_confusion is not None
    assert last.recall_by_tau is not None
    counts = data.train_counts
    found = Arrays(confusion=last.eval_confusion, counts=counts, recall_by_tau=last.recall_by_tau)
    started = time.perf_counter()
    epoch_row(last, "test")
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(class_rows(found, data.class_names)), file)
    rows = time.perf_counter() - started
    evaluated = last.eval_seconds / len(data.test_labels)
    return (
        f"| {classes:,} | {trained:,} | {setup:.2f} | {1e6 * last.train_seconds / trained:.0f} | "
        f"{1e6 * evaluated:.0f} | {1e3 * rows:.0f} | {file.tell():,} |"
    )


def epochs_line() -> str:
    """Say what the last epochs of a run cost, in its first."""
    config = TrainConfig.parse({"profile": "none", "evaluate_on": "test", "epochs": MANY})
    seconds = [e.train_seconds + e.eval_seconds for e in islice(train(config, noise(10, 2_000)), MANY)]
    quarter = MANY // 4
    ratio = np.median(seconds[-quarter:]) / np.median(seconds[1 : quarter + 1])
    return f"The last {quarter} of {MANY} epochs took {ratio:.2f} times as long as the first (medians)."


if __name__ == "__main__":
    sys.exit(main())
