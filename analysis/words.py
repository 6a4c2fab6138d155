"""From frames to text, Markdown, CSV and LaTeX. Numbers become words here and nowhere else."""

import math
from pathlib import Path

import pandas as pd
from tabulate import tabulate

FORMATS = {"txt": "simple", "md": "pipe", "tex": "latex_booktabs"}


def percent(share: float) -> str:
    """Write a share as percent with one decimal; an absent value as nothing."""
    return "" if share is None or math.isnan(share) else f"{100 * share:.1f}"


def plus_minus(mean: float, se: float) -> str:
    """Write a mean and its standard error in percent: 41.3 ± 0.5."""
    spread = percent(se)
    return f"{percent(mean)} ± {spread}" if spread else percent(mean)


def interval(mean: float, low: float, high: float) -> str:
    """Write a difference and its bounds in points: +11.8 [+10.2, +13.4]."""
    if math.isnan(mean):
        return ""
    bounds = "" if math.isnan(low) else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"{100 * mean:+.1f}{bounds}"


def table(display: pd.DataFrame, style: str) -> str:
    """Return a frame of text in a style of FORMATS."""
    return tabulate(display.to_dict("list"), headers="keys", tablefmt=FORMATS[style], disable_numparse=True)


def write_table(folder: Path, name: str, frame: pd.DataFrame, display: pd.DataFrame) -> None:
    """Write the numbers as CSV and the text in every style."""
    frame.to_csv(folder / f"{name}.csv", index=False)
    for style in FORMATS:
        (folder / f"{name}.{style}").write_text(table(display, style) + "\n")
