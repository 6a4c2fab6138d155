"""Tail recall over head recall: the reference under post-hoc adjustment as a curve, the others as points."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from analysis.figures import legend_entry
from analysis.groups import GROUP
from analysis.load import Sweep
from analysis.tables.frontier import curves


def draw(sweep: Sweep) -> Figure | None:
    """Draw means over seeds with one standard error; None where the experiment has no reference."""
    reference = sweep.about.frontier_of
    found = curves(sweep) if reference else {}
    if reference not in found:
        return None
    colours = plt.get_cmap("tab20").colors  # type: ignore[attr-defined]
    figure, ax = plt.subplots(figsize=(8.5, 5))
    base = found[reference].values()
    head, tail = (100 * np.mean([getattr(c, side) for c in base], axis=0) for side in ("head", "tail"))
    ax.plot(head, tail, "k-", lw=1.5, label=legend_entry(f"{sweep.labels[reference]}, post-hoc adjustment"))
    taus = sweep.about.taus
    for tau in [tau for tau in (0.0, 0.5, 1.0, 1.5, 2.0) if tau in taus]:
        i = taus.index(tau)
        ax.annotate(f"τ={tau:g}", (head[i], tail[i]), textcoords="offset points", xytext=(6, 4), fontsize=8)
        ax.plot(head[i], tail[i], "k.", ms=6)
    for i, (arm, label) in enumerate(sweep.labels.items()):
        if arm == reference or arm not in found:
            continue
        points = 100 * np.array([c.point for c in found[arm].values()])
        mean = points.mean(axis=0)
        se = points.std(axis=0, ddof=1) / len(points) ** 0.5 if len(points) > 1 else np.zeros(2)
        style = {"fmt": "o", "ms": 6, "color": colours[i % 20], "label": legend_entry(label)}
        ax.errorbar(mean[0], mean[1], xerr=se[0], yerr=se[1], **style)
    ax.set_xlabel(f"head recall, % (the largest {100 * GROUP:.0f} % of the classes)")
    ax.set_ylabel(f"tail recall, % (the rarest {100 * GROUP:.0f} %)")
    ax.set_title(f"{sweep.about.experiment} on {sweep.about.data.name}: final runs")
    ax.grid(alpha=0.3)
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.tight_layout()
    return figure
