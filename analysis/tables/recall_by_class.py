"""Recall of every class, by arm, with the training images that the class had."""

import pandas as pd

from analysis.groups import head_to_tail
from analysis.load import Sweep
from analysis.words import percent

TITLE = "Test recall by class, percent, mean over seeds"
WIDEST = 21  # columns
FIRST = "arm / class"  # no class is called so
COUNTS = "training images"


def frame(sweep: Sweep) -> pd.DataFrame:
    """Return a row an arm and a column a class, from head to tail; before the first arm, and wherever they
    change, a row of the class counts of final runs."""
    names = sweep.about.data.class_names
    mean = sweep.final_classes().groupby(["arm", "class"]).recall.mean().unstack("class")
    order = head_to_tail(sweep)
    arms = [arm for arm in sweep.about.arms if arm.name in mean.index]
    several = len({tuple(arm.train_counts) for arm in arms}) > 1
    rows, shown = [], None
    for arm in arms:
        if arm.train_counts != shown:
            shown = arm.train_counts
            title = f"{COUNTS} of {arm.label}" if several else COUNTS
            rows.append({FIRST: title, **{names[k]: shown[k] for k in order}})
        rows.append({FIRST: arm.label, **{names[k]: mean.loc[arm.name, k] for k in order}})
    return pd.DataFrame(rows)


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text; with many classes, a row a class."""
    text = frame.copy().astype(object)
    counts = frame[FIRST].str.startswith(COUNTS)
    for name in text.columns[1:]:
        text[name] = frame[name].map(percent).where(~counts, frame[name].map("{:.0f}".format))
    if len(text.columns) > WIDEST:
        text = text.set_index(FIRST).T.rename_axis("class").reset_index()
    return text
