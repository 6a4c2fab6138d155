"""Tables, figures and formats are found by their names: a new one is one new file in its folder."""

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType


def modules_of(package: str, order: Sequence[str] = ()) -> dict[str, ModuleType]:
    """Return every module of a package by name: those of ``order`` first, the others by the alphabet."""
    found = {module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)}
    names = [name for name in order if name in found] + sorted(found.difference(order))
    return {name: importlib.import_module(f"{package}.{name}") for name in names}
