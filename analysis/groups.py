"""Head and tail of the classes, and what each arm trained on: arms of one sweep may differ in it."""

import pandas as pd

from analysis.load import Sweep

GROUP = 0.3  # of the classes: 3 of 10 are the head and 3 the tail, as in MiSLAS on CIFAR-10
BY_NATURE = ("none", "counts")  # profiles whose ratio is that of the class counts themselves


def head_to_tail(sweep: Sweep) -> list[int]:
    """Return the classes, the one with the most training images first, by the counts of the arm whose long
    tail is the longest."""
    counts = max((arm.train_counts for arm in sweep.about.arms), key=_ratio)
    return sorted(range(len(counts)), key=lambda k: -counts[k])


def head_and_tail(sweep: Sweep) -> tuple[list[int], list[int]]:
    """Return the classes of the head and those of the tail."""
    order = head_to_tail(sweep)
    n = max(1, round(GROUP * len(order)))
    return order[:n], order[-n:]


def settings(sweep: Sweep) -> pd.DataFrame:
    """Return what each arm whose final runs finished trained with, a row an arm by name: model, profile,
    imbalance ratio, training images, epochs and precision."""
    finals = sweep.trials[sweep.trials.trial.isin(sweep.finals.trial)]
    runs = finals.groupby("arm")[["model", "profile", "imbalance_ratio", "precision"]].first()
    rows = {}
    for arm in sweep.about.arms:
        if arm.name not in runs.index:
            continue
        run = runs.loc[arm.name]
        rows[arm.name] = {
            "model": run.model,
            "profile": run.profile,
            "imbalance ratio": _ratio(arm.train_counts) if run.profile in BY_NATURE else run.imbalance_ratio,
            "training images": sum(arm.train_counts),
            "epochs": arm.epochs,
            "precision": run.precision,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _ratio(counts: list[int]) -> float:
    return max(counts) / min(counts)
