"""Budgets: what a full table costs. An experiment has one for digits, for a CPU and for a GPU."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lt_core.data import Dataset, validation_sizes


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A budget.

    Attributes:
        knobs: the model, the images and the epochs among them.
        trials: search trials of a searched arm.
        seeds: final runs of an arm.
    """

    knobs: Mapping[str, Any]
    trials: int
    seeds: int


DIGITS = Preset(knobs={"model": "convnet", "epochs": 20, "batch_size": 64}, trials=12, seeds=10)


def presets(data: Dataset, *, cpu: Preset, gpu: Preset, digits: Preset = DIGITS) -> dict[str, Preset]:
    """Return an experiment's presets by name; where ``data`` has too few images, with all that there are."""
    return {"digits": digits, "cpu": _within(cpu, data), "gpu": _within(gpu, data)}


def _within(preset: Preset, data: Dataset) -> Preset:
    n_max = preset.knobs.get("n_max")
    if n_max is None:
        return preset
    there = not data.long_tailed and n_max <= _smallest(data)
    knobs = {**preset.knobs, "n_max": n_max if there else None}
    return Preset(knobs=knobs, trials=preset.trials, seeds=preset.seeds)


class Fitted(float):
    """An imbalance ratio that suits the data; ``asked``: the one that it replaces, for the plan to name."""

    asked: float


def for_data(data: Dataset, profile: str = "exponential", imbalance_ratio: float = 100.0) -> dict[str, Any]:
    """Return the knobs of the long tail that suit ``data``, and those of its nature.

    Small data gets a ratio that leaves its tail four images, or the one that the data itself allows.
    """
    ratio = Fitted(min(imbalance_ratio, data.max_imbalance_ratio or max(1, _smallest(data) // 4)))
    ratio.asked = imbalance_ratio
    return {"profile": profile, "imbalance_ratio": ratio, **by_nature(data)}


def by_nature(data: Dataset) -> dict[str, Any]:
    """Return the knobs that the data itself decides, unless somebody does: what is long-tailed by nature is
    used as it is, and what must not be flipped is not augmented."""
    tail = {"profile": "none"} if data.long_tailed else {}
    return {**tail, "augment": "crop_flip" if data.flips else "none"}


def _smallest(data: Dataset) -> int:
    """Return the training images that the smallest class has beside its validation images."""
    return int((data.train_counts - validation_sizes(data.train_counts, data.val_per_class)).min())
