"""Plain text."""

import pandas as pd

from analysis.formats import drawn

SUFFIX = "txt"
title = line = str


def table(frame: pd.DataFrame, display: pd.DataFrame) -> str:
    """Return the text in columns."""
    return drawn(display, "simple")
