"""One file a figure, found by its name: ``draw(sweep)`` returns a matplotlib Figure."""

import importlib
import pkgutil
from types import ModuleType

import matplotlib

matplotlib.use("Agg")


def all_figures() -> dict[str, ModuleType]:
    """Return every figure module by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
