"""Confusion matrices of the final runs, summed over seeds and shown as shares of the true class."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.load import Sweep


def draw(sweep: Sweep) -> Figure:
    """Draw a matrix an arm: rows are true classes, columns predictions, shares of the row in percent."""
    classes = sweep.final_classes()
    arms = [name for name in sweep.labels if (classes.arm == name).any()]
    names = sweep.about.data.class_names
    columns = min(4, len(arms))
    rows = -(-len(arms) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.4 * columns, 3.4 * rows), squeeze=False)
    for ax, arm in zip(axes.flat, arms, strict=False):
        shares = _shares(classes[classes.arm == arm], len(names))
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        if len(names) <= 12:
            for (i, j), share in np.ndenumerate(shares):
                if share >= 0.5:
                    colour = "white" if share > 60 else "black"
                    ax.text(j, i, f"{share:.0f}", ha="center", va="center", fontsize=5.5, color=colour)
            ax.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
            ax.set_yticks(range(len(names)), names, fontsize=6)
        ax.set_title(sweep.labels[arm], fontsize=9)
    for ax in axes.flat[len(arms) :]:
        ax.set_axis_off()
    figure.suptitle(f"Confusion on {sweep.about.data.name}: true class by row, percent of the row")
    figure.tight_layout()
    return figure


def _shares(rows: pd.DataFrame, num_classes: int) -> np.ndarray:
    total = np.zeros((num_classes, num_classes))
    for k, counts in zip(rows["class"], rows.confusion, strict=True):
        total[k] += counts
    support = total.sum(axis=1, keepdims=True)
    return 100 * np.divide(total, support, out=np.zeros_like(total), where=support > 0)
