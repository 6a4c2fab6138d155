"""Precision, recall and F1 of every class and arm, with their averages, the published ones beside ours."""

import pandas as pd

from analysis.load import Sweep
from analysis.tables.published import FOLDER, beside
from analysis.words import percent

TITLE = "Precision, recall and F1 by class, percent, mean over seeds"
LONG = True  # in the files alone
METRICS = ["precision", "recall", "f1"]
AVERAGES = ["macro average", "weighted average"]


def frame(sweep: Sweep) -> pd.DataFrame:
    """Return a row an arm and class, then the macro and weighted averages; published columns may be NaN."""
    rows = sweep.final_classes()
    names = sweep.about.data.class_names
    published = _published(sweep)
    found = []
    for arm in sweep.about.arms:
        own = rows[rows.arm == arm.name]
        if own.empty:
            continue
        by_class = own.groupby("class")[[*METRICS, "support"]].mean()
        by_class.index = pd.Index([names[k] for k in by_class.index])
        weighted = by_class[METRICS].mul(by_class.support, axis=0).sum() / by_class.support.sum()
        total = {"support": own.groupby("trial").support.sum().mean()}
        averages = pd.DataFrame([{**by_class.mean(), **total}, {**weighted, **total}], AVERAGES)
        if arm.name in published:  # whose classes have other names than the averages
            by_class = pd.concat([by_class, averages]).join(published[arm.name])
        else:
            by_class = pd.concat([by_class, averages])
        by_class.insert(0, "arm", arm.label)
        found.append(by_class.rename_axis("class").reset_index())
    table = pd.concat(found, ignore_index=True)
    return table.reindex(columns=["arm", "class", *METRICS, "support", *(f"published_{m}" for m in METRICS)])


def _published(sweep: Sweep) -> dict[str, pd.DataFrame]:
    """Return the published figures by the arm that they stand beside, indexed by class; none where they have
    other columns."""
    keys = {arm.name: row.key for row in beside(sweep) for arm in row.arms}
    table = pd.read_csv(FOLDER / f"{sweep.about.published}.csv") if keys else pd.DataFrame()
    if "precision" not in table:
        return {}
    found = {}
    for arm, key in keys.items():
        by_class = table[table.step == key].set_index("class")[METRICS].add_prefix("published_")
        by_class.loc[AVERAGES[0]] = by_class.mean()
        found[arm] = by_class
    return found


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    text = pd.DataFrame({"arm": frame.arm, "class": frame["class"]})
    for name in (*METRICS, *(f"published_{metric}" for metric in METRICS)):
        text[name.replace("_", " ")] = frame[name].map(percent)
    text.insert(5, "support", frame.support.map(lambda n: f"{n:.0f}"))
    return text if frame.published_recall.notna().any() else text.iloc[:, :6]
