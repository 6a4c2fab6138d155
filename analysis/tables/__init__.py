"""One file a table, found by its name and shown in the order of ORDER, others after.

A table module has TITLE, ``frame(sweep)`` (numbers; None where the table does not apply) and
``display(frame)`` (the same as text). One with LONG is written to files and not printed.
"""

from types import ModuleType

from analysis.discovery import modules_of

ORDER = ("comparison", "recall_by_class", "questions", "frontier", "chosen", "published")


def all_tables() -> dict[str, ModuleType]:
    """Return every table module by name."""
    return modules_of(__name__, ORDER)
