"""One file a figure, found by its name: ``draw(sweep)`` returns a matplotlib Figure."""

from types import ModuleType

import matplotlib

from analysis.discovery import modules_of

matplotlib.use("Agg")


def all_figures() -> dict[str, ModuleType]:
    """Return every figure module by name."""
    return modules_of(__name__)
