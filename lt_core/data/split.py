"""Which images a run trains on, and which it is evaluated on."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from lt_core import seeds
from lt_core.data.dataset import Dataset
from lt_core.data.longtail import LongTailKnobs, class_counts, draw, hold_out, validation_sizes


class DataKnobs(LongTailKnobs):
    """Which images a run sees."""

    evaluate_on: Literal["val", "test"] = Field(
        "val", description="val: hold a part of train out and never touch test; test: train on all"
    )
    image_size: int | None = Field(None, ge=4, description="resize to this side in pixels; None: as is")


@dataclass(frozen=True, kw_only=True)
class Split:
    """The images of one run: uint8 [N, S, S, channels] and labels int64 [N], for training and evaluation."""

    images: Tensor
    labels: Tensor
    eval_images: Tensor
    eval_labels: Tensor


def split_indices(config: DataKnobs, data: Dataset) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return the training indices, the held-out ones (None: the test set) and the class counts [C].

    Validation is held out first, and the long tail drawn from the rest.
    """
    labels, pool, held = data.train_labels, np.arange(len(data.train_labels)), None
    names = data.class_names
    if config.evaluate_on == "val":
        stream = seeds.generator(config.seed, "validation")
        sizes = validation_sizes(data.train_counts, data.val_per_class)
        held, pool = hold_out(labels, sizes, stream, names)
    available = np.bincount(labels[pool], minlength=data.num_classes)
    counts = class_counts(
        config.profile, available, config.imbalance_ratio, config.n_max, config.counts, names
    )
    return draw(labels, pool, counts, seeds.generator(config.seed, "subset")), held, counts


def make_split(config: DataKnobs, data: Dataset, device: str) -> Split:
    """Gather the run's images onto ``device``."""
    chosen, held, _ = split_indices(config, data)
    arrays = [data.train_images[chosen], data.train_labels[chosen]]
    if held is None:
        arrays += [data.test_images, data.test_labels]
    else:
        arrays += [data.train_images[held], data.train_labels[held]]
    images, labels, eval_images, eval_labels = (
        torch.from_numpy(np.array(array)).to(device) for array in arrays
    )
    return Split(images=images, labels=labels, eval_images=eval_images, eval_labels=eval_labels)
