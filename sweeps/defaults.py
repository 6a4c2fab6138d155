"""Budgets that suit the data: what an experiment starts from unless it or the command line says else."""

from dataclasses import dataclass
from typing import Any

from lt_core.data import Dataset, validation_sizes


@dataclass(frozen=True)
class Budget:
    """Knobs that fit the data, search trials of a searched arm, and final runs of an arm."""

    knobs: dict[str, Any]
    trials: int
    seeds: int


def for_data(data: Dataset) -> Budget:
    """Return the budget for ``data``. Data that is long-tailed by nature is used as it is."""
    if data.name == "digits":
        return Budget({"imbalance_ratio": 50.0, "epochs": 20, "augment": "none"}, trials=12, seeds=10)
    smallest = int((data.train_counts - validation_sizes(data.train_counts, data.val_per_class)).min())
    knobs = {
        "profile": "none" if data.long_tailed else "exponential",
        "imbalance_ratio": float(min(100, max(1, smallest // 4))),  # 4 images or more in the tail
        "epochs": 10,
        "augment": "crop_flip",
    }
    return Budget(knobs, trials=12, seeds=5)
