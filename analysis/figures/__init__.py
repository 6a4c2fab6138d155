"""One file a figure, found by its name: ``draw(sweep)`` returns a matplotlib Figure; None: there is none."""

from pathlib import Path
from types import ModuleType

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from analysis.discovery import modules_of

matplotlib.use("Agg")
matplotlib.rcParams["text.parse_math"] = False  # labels come from outside: US$5 vs $10 is no formula


def all_figures() -> dict[str, ModuleType]:
    """Return every figure module by name."""
    return modules_of(__name__)


def save(figure: Figure, path: Path) -> None:
    """Write a figure beside ``path`` as PNG and SVG, and let go of it."""
    for suffix in (".png", ".svg"):
        figure.savefig(path.with_name(path.name + suffix), dpi=150, bbox_inches="tight")
    plt.close(figure)


def legend_entry(label: str) -> str:
    """Return a label as a legend shows it; one that begins with an underscore would be left out."""
    return f" {label}" if label.startswith("_") else label
