"""What was understood of the data, as a person reads it before the sweep begins: in at most twelve lines."""

import textwrap

import numpy as np

from lt_core.data import Dataset, validation_sizes

MOST_CLASSES = 12  # whose counts are all shown
MOST_LINES = 12
WIDTH, LONGEST = 100, 20  # characters of a line; of a class's name, so that twelve of them take three lines


def data_lines(data: Dataset) -> list[str]:
    """Return the classes with their images, and how the files were read."""
    wrapped = textwrap.wrap(_classes(data), WIDTH, initial_indent="    ", subsequent_indent="    ")
    room = MOST_LINES - 2 - len(wrapped)
    own, rest = data.notes[:room], data.notes[room:]
    return [
        "  images of each class (training + validation, test):",
        *wrapped,
        *(f"    {note}" for note in [*own, *(["; ".join(rest)] if rest else [])]),
    ]


def _classes(data: Dataset) -> str:
    """Return every class, or of many the first and the last few."""
    held = validation_sizes(data.train_counts, data.val_per_class)
    test = np.bincount(data.test_labels, minlength=data.num_classes)
    rows = zip(data.class_names, data.train_counts - held, held, test, strict=True)
    shown = [f"{_short(name)} {n} + {v}, {t}" for name, n, v, t in rows]
    if len(shown) > MOST_CLASSES:
        shown = [*shown[:6], f"... {len(shown) - 9} more ...", *shown[-3:]]
    return "; ".join(shown)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
