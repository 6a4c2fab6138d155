"""Markdown."""

import pandas as pd

from analysis.formats import drawn

SUFFIX = "md"


def title(text: str) -> str:
    """Return it in bold."""
    return f"**{text}**"


def line(text: str) -> str:
    """Return it as a bullet."""
    return f"- {text}"


def table(frame: pd.DataFrame, display: pd.DataFrame) -> str:
    """Return the text between pipes."""
    return drawn(display, "pipe")
