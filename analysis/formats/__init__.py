"""One file a format, found by its name.

A format module has SUFFIX, of the files that are written in it, and ``table(frame, display)``, which returns
a table as text: from its numbers, or from what people read. One that a whole report can be printed in has
``title(text)`` and ``line(text)`` too: what stands above a table, and around the tables.
"""

from types import ModuleType

import pandas as pd
from tabulate import tabulate

from analysis.discovery import modules_of

ORDER = ("txt", "md", "csv", "tex")


def all_formats() -> dict[str, ModuleType]:
    """Return every format module by name."""
    return modules_of(__name__, ORDER)


def styles() -> list[str]:
    """Return the names of the formats that a report can be printed in."""
    return [name for name, module in all_formats().items() if hasattr(module, "title")]


def drawn(display: pd.DataFrame, style: str) -> str:
    """Return a frame of text in a style of tabulate's."""
    rows, columns = display.to_numpy().tolist(), list(display.columns)  # two columns may have one name
    return tabulate(rows, headers=columns, tablefmt=style, disable_numparse=True)
