"""Figures that were published, and ours on the same arm, side by side."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.groups import settings
from analysis.load import ReportError, Sweep
from analysis.statistics import standard_error
from analysis.words import percent, plus_minus
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
    """Return the source of figures that stand beside the sweep's; None: none of its arms is on the data and
    the long tail that they are of.

    Raises:
        ReportError: the experiment names a table that does not exist.
    """
    name = sweep.about.published
    if name is None or not on_cifar10(sweep):
        return None
    if name not in SOURCES:
        raise ReportError(f"published={name!r} is no table of analysis/published: {', '.join(SOURCES)}")
    return SOURCES[name] if _comparable(sweep, SOURCES[name]) else None


def _comparable(sweep: Sweep, found: Source) -> dict[str, float]:
    """Return the imbalance ratio of each arm that is on the long tail of the published figures, by name."""
    own = settings(sweep)
    same = own[own.profile == found.profile]["imbalance ratio"]
    return {str(arm): ratio for arm, ratio in same.items() if found.imbalance_ratio in (None, ratio)}


def frame(sweep: Sweep) -> pd.DataFrame | None:
    """Return, for each published arm that ours has, its row and ours. None where they are not comparable.

    The published figure is the best epoch on the evaluation set. Ours is the last epoch; what picking
    the best test epoch would have claimed stands beside it, labelled, and is used for nothing.
    """
    found = source(sweep)
    if found is None:
        return None
    ratios = _comparable(sweep, found)
    several = len(set(ratios.values())) > 1
    there = set(sweep.finals.arm)
    rows = []
    for ratio in dict.fromkeys(ratios.values()):
        elsewhere = figures(str(sweep.about.published), ratio, sweep.about.data.class_names)
        for key, published in elsewhere.iterrows():
            ours = [a for a in sweep.about.arms if a.published == key and ratios.get(a.name) == ratio]
            measured = [_measured(sweep, arm, elsewhere) for arm in ours if arm.name in there]
            if measured:
                title = f"{key}, imbalance ratio {ratio:g}" if several else key
                rows += [{"arm": title, "source": "published", **published.to_dict()}, *measured]
    return pd.DataFrame(rows) if rows else None


def _measured(sweep: Sweep, arm: ArmRecord, elsewhere: pd.DataFrame) -> dict[str, Any]:
    runs = sweep.finals[sweep.finals.arm == arm.name].test_macro_recall
    classes, curves = sweep.final_classes(), sweep.final_curves()
    by_class = classes[classes.arm == arm.name].groupby("class").recall.mean()
    best = curves[curves.arm == arm.name].groupby("trial").test_macro_recall.max().mean()
    names = sweep.about.data.class_names
    return {
        "arm": "",
        "source": arm.label,
        **{name: by_class[k] for k, name in enumerate(names) if name in elsewhere},
        "macro_recall": runs.mean(),
        "se": standard_error(runs),
        "n": len(runs),
        "best_epoch": best,
    }


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    text = frame.drop(columns=["se", "n", "best_epoch", "macro_recall"])
    for name in text.columns[2:]:
        text[name] = text[name].map(percent)
    text["last epoch"] = [plus_minus(m, s) for m, s in zip(frame.macro_recall, frame.se, strict=True)]
    text["best test epoch"] = frame.best_epoch.map(percent)
    return text
