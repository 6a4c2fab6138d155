"""Labels as sources have them, numbers or names, to classes 0 ... C-1 with names of their own."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lt_core.errors import InputError
from lt_core.registry import nearest
from lt_core.words import printable, some

LONGEST = 60  # characters of a class's name


@dataclass(frozen=True)
class Classes:
    """Labels int64 [N] of train and test, the names of the C classes, and what a person must know of them."""

    train: np.ndarray
    test: np.ndarray
    names: list[str]
    notes: list[str]


def number_classes(
    train: Sequence[Hashable], test: Sequence[Hashable], order: Iterable[Hashable], where: str
) -> Classes:
    """Number the labels of train and test alike, in ``order``, as far as there are images of them.

    Raises:
        InputError: fewer than two classes; a class of test that training has no image of.
    """
    order = list(order)
    seen, tested = Counter(train), Counter(test)
    present = [label for label in order if label in seen]
    if strange := [label for label in order if label in tested and label not in seen]:
        name = str(strange[0])
        raise InputError(
            f"{where}: class {nearest(name, map(str, present))} has {tested[strange[0]]} test images "
            "and no training image: add some, or leave it out"
        )
    if len(present) < 2:
        only = f"one class, {printable(str(present[0]))!r}" if present else "no class"
        raise InputError(f"{where} holds {only}: a classifier needs two or more")
    classes = {label: k for k, label in enumerate(present)}
    names, notes = unique_names([str(label) for label in present])
    if absent := [str(label) for label in order if label not in seen]:
        notes.append(f"left out, names without an image: {some(absent)}")
    if untested := [names[k] for label, k in classes.items() if label not in tested]:
        notes.append(f"warning: no test image, so no recall: {some(untested)}")
    numbers = [label for label in present if isinstance(label, int)]
    if len(numbers) == len(present) and numbers != list(range(len(numbers))):
        notes.append(f"labels {some(map(str, numbers))} are classes 0 to {len(numbers) - 1}, in this order")
    return Classes(
        train=np.array([classes[label] for label in train], dtype=np.int64),
        test=np.array([classes[label] for label in test], dtype=np.int64),
        names=names,
        notes=notes,
    )


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names fit to be read and each once, and notes on those that had to be changed."""
    found: list[str] = []
    changed = []
    for k, name in enumerate(names):
        own = plain = printable(name.strip())[:LONGEST] or f"class {k}"
        number = 2
        while own in found:
            own, number = f"{plain} ({number})", number + 1
        found.append(own)
        if own != name:
            changed.append(f"class {k} is called {own!r}")
    wrong = "class names that were empty, double or hard to read"
    return found, [f"{wrong}: {some(changed)}"] if changed else []
