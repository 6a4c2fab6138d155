"""Figures that were published, and ours on the same arm, side by side."""

from pathlib import Path

import pandas as pd

from analysis.load import Sweep
from analysis.render import percent, plus_minus
from analysis.statistics import standard_error

TITLE = "Published beside measured: recall by class and macro recall, percent"
FOLDER = Path(__file__).parent.parent / "published"


def frame(sweep: Sweep) -> pd.DataFrame | None:
    """Return, for each published arm, its row and ours. None where the data is not the published data.

    The published figure is the best epoch on the evaluation set. Ours is the last epoch; what picking
    the best test epoch would have claimed stands beside it, labelled, and is used for nothing.
    """
    name, data = sweep.about["published"], sweep.about["data"]
    if name is None or data["name"].split(",")[0] != "CIFAR-10":
        return None
    published = pd.read_csv(FOLDER / f"{name}.csv").set_index("arm")
    class_names = data["class_names"]
    best = sweep.final_curves().groupby(["arm", "trial"]).test_macro_recall.max().groupby("arm").mean()
    by_class = sweep.final_classes().groupby(["arm", "class"]).recall.mean()
    rows = []
    for key, figures in published.iterrows():
        classes = {c: figures[f"class{k}"] for k, c in enumerate(class_names)}
        rows.append({"arm": key, "source": "published", **classes, "best_epoch": figures["best_accuracy"]})
        for arm in sweep.about["arms"]:
            runs = sweep.finals[sweep.finals.arm == arm["name"]].test_macro_recall
            if arm["published"] == key and len(runs):
                measured = {c: by_class[arm["name"], k] for k, c in enumerate(class_names)}
                last = {"macro_recall": runs.mean(), "se": standard_error(runs), "n": len(runs)}
                row = {"arm": "", "source": arm["label"], **measured, **last}
                rows.append({**row, "best_epoch": best[arm["name"]]})
    return pd.DataFrame(rows)


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    text = frame.drop(columns=["se", "n", "best_epoch", "macro_recall"])
    for name in text.columns[2:]:
        text[name] = text[name].map(percent)
    text["last epoch"] = [plus_minus(m, s) for m, s in zip(frame.macro_recall, frame.se, strict=True)]
    text["best test epoch"] = frame.best_epoch.map(percent)
    return text
