"""What a person must know of the data beside the plan's numbers."""

from collections.abc import Iterable

import numpy as np

from lt_core.config import TrainConfig
from lt_core.data import Dataset, validation_sizes
from lt_core.words import some

FEWEST_IMAGES = 5  # of a class, in validation or test
AS_GIVEN = ("none", "counts")  # profiles that thin nothing by a formula


def few_images(data: Dataset) -> list[str]:
    """Warn of the class with the fewest images to select or to judge by."""
    validation = validation_sizes(data.train_counts, data.val_per_class)
    test = np.bincount(data.test_labels, minlength=data.num_classes)
    notes = []
    for sizes, split, what in ((validation, "validation", "selection"), (test, "test", "its recall")):
        k = int(sizes.argmin())
        if sizes[k] < FEWEST_IMAGES:
            few = f"class {data.class_names[k]!r} has {sizes[k]} {split} images: {what} will be noisy"
            notes.append(f"warning: {few}")
    return notes


def single_images(data: Dataset, counts: Iterable[np.ndarray]) -> list[str]:
    """Warn of classes of which some run trains on one image alone; ``counts``: of every kind of run, [C]."""
    fewest = np.min(list(counts), axis=0)
    alone = [data.class_names[k] for k in np.flatnonzero(fewest == 1)]
    few = "warning: one training image alone, too few to learn a class from"
    return [f"{few}: {some(alone)}"] if alone else []


def long_tail(
    data: Dataset, configs: list[TrainConfig], counts: Iterable[np.ndarray], chosen: bool
) -> list[str]:
    """Say whether data that is nobody's benchmark is used as it is or thinned, and how to have it otherwise.

    ``counts`` of final runs, [C]; ``chosen``: the profile is what the user has asked for.
    """
    profiles = {config.profile for config in configs}
    if data.long_tailed and "none" in profiles:
        own = "the long tail that the data has by nature is used as it is"
        return [f"{own}; --set profile=exponential draws another from it"]
    own_data = data.benchmark is None and data.preset is None
    thinned = any((of_arm < data.train_counts).any() for of_arm in counts)
    if own_data and thinned and not (data.long_tailed or chosen or profiles <= set(AS_GIVEN)):
        why = "no class has more than twice the images of another: they are thinned to a long tail"
        return [f"{why}; --set profile=none uses all as they are"]
    return []
