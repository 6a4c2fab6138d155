"""One file a table, found by its name and shown in the order of ORDER, others after.

A table module has TITLE, ``frame(sweep)`` (numbers; None where the table does not apply) and
``display(frame)`` (the same as text). One with LONG is written to files and not printed.
"""

import importlib
import pkgutil
from types import ModuleType

ORDER = ("comparison", "recall_by_class", "questions", "frontier", "chosen", "published")


def all_tables() -> dict[str, ModuleType]:
    """Return every table module by name."""
    names = sorted(
        (module.name for module in pkgutil.iter_modules(__path__)),
        key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name),
    )
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
