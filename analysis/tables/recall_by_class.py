"""Recall of every class, by arm, with the training images that the class had."""

import pandas as pd

from analysis.load import Sweep
from analysis.words import percent

TITLE = "Test recall by class, percent, mean over seeds"
WIDEST = 21  # columns
FIRST = "arm / class"  # no class is called so


def frame(sweep: Sweep) -> pd.DataFrame:
    """Return a row an arm and a column a class, from head to tail; first the class counts of final runs."""
    rows = sweep.final_classes()
    names = sweep.about["data"]["class_names"]
    mean = rows.groupby(["arm", "class"]).recall.mean().unstack("class")
    order = head_to_tail(sweep)
    mean = mean[order].set_axis([names[k] for k in order], axis=1)
    mean = mean.reindex([name for name in sweep.labels if name in mean.index])
    mean.insert(0, FIRST, [sweep.labels[name] for name in mean.index])
    counts = {names[k]: sweep.about["data"]["train_counts"][k] for k in order}
    first = pd.DataFrame([{FIRST: "training images", **counts}])
    return pd.concat([first, mean], ignore_index=True)


def head_to_tail(sweep: Sweep) -> list[int]:
    """Return the classes, the one with the most training images first."""
    counts = sweep.about["data"]["train_counts"]
    return sorted(range(len(counts)), key=lambda k: -counts[k])


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text; with many classes, a row a class."""
    text = frame.copy().astype(object)
    for name in text.columns[1:]:
        text[name] = [str(int(frame[name].iloc[0])), *frame[name].iloc[1:].map(percent)]
    if len(text.columns) > WIDEST:
        text = text.set_index(FIRST).T.rename_axis("class").reset_index()
    return text
