"""Recall by class, a bar an arm: who wins which class, with the standard error over seeds."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from analysis.figures import legend_entry
from analysis.groups import head_to_tail
from analysis.load import Sweep


def draw(sweep: Sweep) -> Figure:
    """Draw a panel for each arm, classes from head to tail, the baseline's recall as a line behind."""
    recall = sweep.final_classes().groupby(["arm", "class"]).recall
    order = head_to_tail(sweep)
    mean, se = recall.mean().unstack()[order], recall.sem().unstack()[order]
    arms = [arm for arm in sweep.about.arms if arm.name in mean.index]
    columns = min(4, len(arms))
    rows = -(-len(arms) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.6 * columns, 2.4 * rows), sharex=True, sharey=True, squeeze=False
    )
    names, counts = sweep.about.data.class_names, arms[0].train_counts
    shared = all(arm.train_counts == counts for arm in arms)
    position = np.arange(len(names))
    for ax, arm in zip(axes.flat, arms, strict=False):
        name = arm.name
        ax.bar(position, 100 * mean.loc[name], yerr=100 * se.loc[name], color="#4477aa", ecolor="#222222")
        if arm.baseline and arm.baseline in mean.index:
            style = {"color": "#cc3311", "label": legend_entry(sweep.labels[arm.baseline]), "linewidth": 1.2}
            baseline = 100 * mean.loc[arm.baseline]
            ax.step(position, baseline, where="mid", **style)
            ax.legend(fontsize=7, loc="upper right", frameon=False)
        ax.set_title(arm.label if shared else f"{arm.label} ({sum(arm.train_counts):,} images)", fontsize=9)
        ax.set_ylim(0, 100)
    for ax in axes.flat[len(arms) :]:
        ax.set_axis_off()
    ticks = [f"{names[k]} ({counts[k]})" if shared else names[k] for k in order]
    for ax in axes.flat[max(0, len(arms) - columns) : len(arms)]:
        ax.set_xticks(position, ticks, rotation=90, fontsize=7)
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("test recall, %")
    figure.suptitle(f"Recall by class on {sweep.about.data.name} (training images)")
    figure.tight_layout()
    return figure
