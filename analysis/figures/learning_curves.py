"""Test macro recall and training accuracy of the final runs, epoch by epoch."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis.figures import legend_entry
from analysis.load import Sweep

PANELS = (("test_macro_recall", "test macro recall"), ("train_accuracy", "training accuracy"))


def draw(sweep: Sweep) -> Figure:
    """Draw the mean over seeds with a band of one standard error, a line an arm, over the epochs that were
    measured: training has no epoch 0, the untrained network."""
    curves = sweep.final_curves()
    colours = plt.get_cmap("tab20").colors  # type: ignore[attr-defined]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharex=True)
    for ax, (column, title) in zip(axes, PANELS, strict=True):
        for i, (name, label) in enumerate(sweep.labels.items()):
            by_epoch = curves[curves.arm == name].dropna(subset=column).groupby("epoch")[column]
            if not by_epoch.ngroups:
                continue
            mean, se = by_epoch.mean(), by_epoch.sem().fillna(0)
            colour, marker = colours[i % len(colours)], "." if len(mean) < 10 else None
            ax.plot(mean.index, mean, label=legend_entry(label), color=colour, marker=marker)
            ax.fill_between(mean.index, mean - se, mean + se, color=colour, alpha=0.2, linewidth=0)
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_title(title)
        ax.grid(alpha=0.3)
    axes[1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.suptitle(f"{sweep.about.experiment} on {sweep.about.data.name}: final runs")
    figure.tight_layout()
    return figure
