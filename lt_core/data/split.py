"""Which images a run trains on, and which it is evaluated on."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lt_core import seeds
from lt_core.config import TrainConfig
from lt_core.data import Dataset, class_counts, draw, hold_out, validation_sizes


@dataclass(frozen=True, kw_only=True)
class Split:
    """The images of one run: uint8 [N, S, S, channels] and labels int64 [N], for training and evaluation."""

    images: Tensor
    labels: Tensor
    eval_images: Tensor
    eval_labels: Tensor


def split_indices(config: TrainConfig, data: Dataset) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return the training indices, the held-out ones (None: the test set) and the class counts [C].

    Validation is held out first, and the long tail drawn from the rest.
    """
    labels, pool, held = data.train_labels, np.arange(len(data.train_labels)), None
    if config.evaluate_on == "val":
        stream = seeds.generator(config.seed, "validation")
        held, pool = hold_out(labels, validation_sizes(data.train_counts, data.val_per_class), stream)
    available = np.bincount(labels[pool], minlength=data.num_classes)
    counts = class_counts(config.profile, available, config.imbalance_ratio, config.n_max, config.counts)
    return draw(labels, pool, counts, seeds.generator(config.seed, "subset")), held, counts


def make_split(config: TrainConfig, data: Dataset) -> Split:
    """Gather the run's images onto its device."""
    chosen, held, _ = split_indices(config, data)
    arrays = [data.train_images[chosen], data.train_labels[chosen]]
    if held is None:
        arrays += [data.test_images, data.test_labels]
    else:
        arrays += [data.train_images[held], data.train_labels[held]]
    images, labels, eval_images, eval_labels = (
        torch.from_numpy(np.array(array)).to(config.device) for array in arrays
    )
    return Split(images=images, labels=labels, eval_images=eval_images, eval_labels=eval_labels)
