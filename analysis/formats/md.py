"""Markdown."""

import re

import pandas as pd

from analysis.formats import drawn

SUFFIX = "md"
# Underscores within words are none, and brackets only make a link where another one follows.
SPECIAL = r"[\\`*|$~]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!])|&(?=#?\w+;)|(?<=\])(?=[(\[:])"


def title(text: str) -> str:
    """Return it in bold."""
    return f"**{escaped(text)}**"


def line(text: str) -> str:
    """Return it as a bullet."""
    return f"- {escaped(text)}"


def table(frame: pd.DataFrame, display: pd.DataFrame) -> str:
    """Return the text between pipes."""
    return drawn(display.rename(columns=escaped).map(escaped), "pipe")


def escaped(text: object) -> str:
    """Return text in which no character means anything to Markdown: labels and names come from outside."""
    return re.sub(SPECIAL, lambda found: f"\\{found[0]}", " ".join(str(text).split()))
