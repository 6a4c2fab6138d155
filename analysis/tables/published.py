"""Figures that were published, and ours on the same arm, side by side."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.groups import settings
from analysis.load import ReportError, Sweep
from analysis.statistics import standard_error
from analysis.words import percent, plus_minus, ratio
from sweeps.record.description import ArmRecord

TITLE = "Published beside measured: recall by class and macro recall, percent"
FOLDER = Path(__file__).parent.parent / "published"


@dataclass(frozen=True)
class Source:
    """The long tail that a published table is of (``imbalance_ratio`` None: it has several), and what it must
    be read with."""

    profile: str
    imbalance_ratio: float | None
    note: str


@dataclass(frozen=True)
class Beside:
    """A published row and the arms that it stands beside; ``figures``: as the function returns them."""

    key: str
    imbalance_ratio: float
    figures: pd.Series
    arms: list[ArmRecord]


SOURCES = {
    "cb_focal_beta": Source(
        "exponential",
        100.0,
        "The published figures are the best epoch on the evaluation set, one run each. Their model, "
        "optimiser and imbalance ratio are not stated: the recipe arms are the public assignment's "
        "(ResNet-32, SGD, IR 100); there its beta = 0.9 stands for 0.1 and 0.5 as well, which weigh the "
        "classes alike.",
    ),
    "efficientnet_ladder": Source(
        "linear",
        10.0,
        "Published: EfficientNet-B0 at 30 epochs, one run, its pretraining not stated; ours starts from "
        "scratch, so the steps compare, the levels do not.",
    ),
    "cifar10_lt_resnet32": Source(
        "exponential",
        None,
        "Published: mostly the best epoch on the test set, 200 epochs on 5,000 to 50 images a class, one run "
        "each. The arm beside mislas has its smoothing, MixUp and scales, not all of its recipe.",
    ),
}


def figures(name: str, imbalance_ratio: float, class_names: list[str]) -> pd.DataFrame:
    """Return a published table by arm: recall by class where it was published, and ``best_epoch``, the total
    accuracy, as shares. On a balanced test set that is macro recall."""
    table = pd.read_csv(FOLDER / f"{name}.csv")
    if "top1_percent" in table:
        table = table[table.imbalance_ratio == imbalance_ratio].set_index("method")
        return pd.DataFrame({"best_epoch": table.top1_percent / 100})
    if "step" in table:
        summary = pd.read_csv(FOLDER / f"{name}_summary.csv").set_index("step")
        by_class = table.pivot(index="step", columns="class", values="recall").filter(class_names)
        return by_class.reindex(summary.index).assign(best_epoch=summary.accuracy)
    table = table.set_index("arm")
    by_class = pd.DataFrame({c: table[f"class{k}"] for k, c in enumerate(class_names)})
    return by_class.assign(best_epoch=table.best_accuracy)


def on_cifar10(sweep: Sweep) -> bool:
    """Whether the data is the one that every published figure is about."""
    return sweep.about.data.benchmark == "CIFAR-10"


def source(sweep: Sweep) -> Source | None:
    """Return the source of the figures that stand beside the sweep's; None: they stand beside no arm."""
    return SOURCES[str(sweep.about.published)] if beside(sweep) else None


def beside(sweep: Sweep) -> list[Beside]:
    """Return the published rows that stand beside arms: of the same data, on the same long tail, whose final
    runs finished.

    Raises:
        ReportError: the experiment names a table that does not exist.
    """
    name, found = sweep.about.published, list[Beside]()
    if name is None or not on_cifar10(sweep):
        return found
    if name not in SOURCES:
        raise ReportError(f"published={name!r} is no table of analysis/published: {', '.join(SOURCES)}")
    own = settings(sweep)
    ratios = own[own.profile == SOURCES[name].profile]["imbalance ratio"]
    for own_ratio in ratios.unique():
        if SOURCES[name].imbalance_ratio not in (None, own_ratio):
            continue
        there = [arm for arm in sweep.about.arms if ratios.get(arm.name) == own_ratio]
        for key, row in figures(name, own_ratio, sweep.about.data.class_names).iterrows():
            arms = [arm for arm in there if arm.published == key]
            if arms:
                found.append(Beside(str(key), own_ratio, row, arms))
    return found


def frame(sweep: Sweep) -> pd.DataFrame | None:
    """Return each published row that stands beside an arm of ours, and ours. None where there is none.

    The published figure is the best epoch on the evaluation set. Ours is the last epoch; what picking
    the best test epoch would have claimed stands beside it, labelled, and is used for nothing.
    """
    found = beside(sweep)
    several = len({published.imbalance_ratio for published in found}) > 1
    best = sweep.final_curves().groupby(["arm", "trial"]).test_macro_recall.max().groupby("arm").mean()
    rows: list[dict] = []
    for published in found:
        where = f", imbalance ratio {ratio(published.imbalance_ratio)}" if several else ""
        figured = published.figures.to_dict()
        rows.append({"arm": f"{published.key}{where}", "source": "published", **figured})
        for arm in published.arms:
            measured = _measured(sweep, arm, published.figures.index)
            rows.append({"arm": "", "source": arm.label, **measured, "best_epoch": best[arm.name]})
    return pd.DataFrame(rows) if rows else None


def _measured(sweep: Sweep, arm: ArmRecord, columns: pd.Index) -> dict[str, Any]:
    runs = sweep.finals[sweep.finals.arm == arm.name].test_macro_recall
    classes = sweep.final_classes()
    by_class = classes[classes.arm == arm.name].groupby("class").recall.mean()
    names = sweep.about.data.class_names
    return {
        **{name: by_class[k] for k, name in enumerate(names) if name in columns},
        "macro_recall": runs.mean(),
        "se": standard_error(runs),
        "n": len(runs),
    }


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    text = frame.drop(columns=["se", "n", "best_epoch", "macro_recall"])
    for name in text.columns[2:]:
        text[name] = text[name].map(percent)
    text["last epoch"] = [plus_minus(m, s) for m, s in zip(frame.macro_recall, frame.se, strict=True)]
    text["best test epoch"] = frame.best_epoch.map(percent)
    return text
