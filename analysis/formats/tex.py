"""LaTeX, for the package booktabs."""

import pandas as pd

from analysis.formats import drawn

SUFFIX = "tex"
title = line = str


def table(frame: pd.DataFrame, display: pd.DataFrame) -> str:
    """Return the text as a tabular."""
    return drawn(display, "latex_booktabs")
