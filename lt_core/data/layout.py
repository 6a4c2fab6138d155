"""How a tree of image files is laid out: which folders are splits and classes, and what is not read."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image

from lt_core.errors import InputError
from lt_core.words import count, printable

SPLITS = {  # folders by what they are called, in any case, alone or as in train_set
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
OF_A_SPLIT = re.compile(r"[ _-]?(set|data|images|imgs|split)$")
NO_CLASSES = (*SPLITS, "images", "labels", "annotations", "masks")
HIDDEN = (".", "__", "@", "$")  # how folders and files of tools begin: .ipynb_checkpoints, __MACOSX, @eaDir
HIDDEN_FOLDERS = ("lost+found",)


@dataclass
class Layout:
    """The image files of a tree: (class, file), in order; ``test`` is None where there is one tree for both.

    Attributes:
        notes: how the tree was understood, and what of it is not read.
    """

    train: list[tuple[str, Path]]
    test: list[tuple[str, Path]] | None
    notes: list[str]

    @property
    def files(self) -> list[Path]:
        return [file for _, file in [*self.train, *(self.test or [])]]


@dataclass
class Skipped:
    """What is not read."""

    endings: Counter[str] = field(default_factory=Counter)
    loose: int = 0
    hidden: int = 0
    empty: list[str] = field(default_factory=list)
    nested: int = 0
    special: int = 0

    def notes(self) -> list[str]:
        lines = []
        if self.endings:
            by = ", ".join(f"{ending} ({n:,})" for ending, n in self.endings.most_common(5))
            lines.append(f"not read, by its ending no image: {count(self.endings.total(), 'file')}, {by}")
        if self.loose:
            lines.append(f"not read, beside the class folders: {count(self.loose, 'image')}")
        if self.hidden:
            lines.append(f"not read, hidden or a tool's: {count(self.hidden, 'name')}")
        if self.special:
            lines.append(f"not read, pipes and the like: {count(self.special, 'name')}")
        if self.empty:
            lines.append(
                f"not read, without an image: {', '.join(self.empty[:5])} ({len(self.empty)} in all)"
            )
        if self.nested:
            lines.append(f"in folders below their class's: {count(self.nested, 'image')}")
        return lines


def layout_of(root: Path) -> Layout:
    """Return what a tree of images holds.

    Splits are folders called train or training, and test or testing, or for want of those val, valid or
    validation, in any case and also as in train_set; classes are the folders in them. Without splits the
    classes are the folders of the tree.

    Raises:
        InputError: it cannot be told which folders are splits and classes.
    """
    skipped = Skipped()
    splits: dict[str, Path] = {}
    for folder in _folders(root, skipped):
        split = _split(folder)
        if split in splits:
            raise InputError(f"{root} holds {splits[split].name}/ and {folder.name}/: keep one of them")
        if split:
            splits[split] = folder
    if not splits:
        _check_no_splits(root)
        skipped.hidden = 0  # counted with the classes
        return Layout(_images(root, skipped), None, ["one tree of classes", *skipped.notes()])
    test = splits.get("test") or splits.get("validation")
    if "train" not in splits or test is None:
        there, other = next(iter(splits.values())).name, "test" if "train" in splits else "train"
        raise InputError(f"{root} holds {there}/, but no {other}/: add it, or name a folder of classes")
    _count_loose(root, skipped)
    notes = [f"splits {splits['train'].name}/ and {test.name}/"]
    for folder in _folders(root, Skipped()):
        if folder not in (splits["train"], test):
            n = sum(_is_image(file) for file in _walk(folder, Skipped()))
            notes.append(f"not read, beside the splits: {printable(folder.name)}/ with {count(n, 'image')}")
    return Layout(_images(splits["train"], skipped), _images(test, skipped), [*notes, *skipped.notes()])


def _images(root: Path, skipped: Skipped) -> list[tuple[str, Path]]:
    """Return the images below the class folders of ``root``."""
    found: list[tuple[str, Path]] = []
    names: set[str] = set()
    for folder in _folders(root, skipped):
        files = [file for file in _walk(folder, skipped) if _is_image(file, skipped)]
        name = unicodedata.normalize("NFC", folder.name)  # macOS writes an é as e and an accent
        if files and name in names:
            raise InputError(f"{root} holds two folders {name}, in two spellings of Unicode: rename one")
        names.add(name)
        found += [(name, file) for file in files]
        skipped.nested += sum(file.parent != folder for file in files)
        if not files:
            skipped.empty.append(f"{printable(folder.name)}/")
        else:
            _check_class(folder)
    _count_loose(root, skipped)
    if not found:
        raise InputError(f"{root} holds no folder with images: it must hold a folder for each class")
    return found


def _count_loose(root: Path, skipped: Skipped) -> None:
    loose = [path for path in root.iterdir() if path.is_file() and not _is_hidden(path)]
    skipped.loose += sum(_is_image(path, skipped) for path in loose)


def _check_class(folder: Path) -> None:
    below = [child.name for child in folder.iterdir() if child.is_dir() and _split(child)]
    if below:
        raise InputError(
            f"{folder} looks like a data set, not a class: it holds {', '.join(sorted(below))}; "
            f"name that folder, or put the classes below the splits"
        )
    if folder.name.lower() in NO_CLASSES:
        raise InputError(f"{folder} does not look like a class: name the folder of the classes, or rename it")


def _split(folder: Path) -> str | None:
    return SPLITS.get(OF_A_SPLIT.sub("", folder.name.lower()))


def _check_no_splits(root: Path) -> None:
    """Refuse a tree of classes two of which look like splits under other names: seg_train and seg_test."""
    like: dict[str, str] = {}
    for folder in _folders(root, Skipped()):
        if any(child.is_dir() for child in folder.iterdir()):
            like |= {SPLITS[w]: folder.name for w in re.split("[^a-z]+", folder.name.lower()) if w in SPLITS}
    if "train" in like and len(like) > 1:
        names = " and ".join(sorted(like.values()))
        raise InputError(f"{root}: {names} look like splits, not classes: call them train and test")


def _folders(root: Path, skipped: Skipped) -> list[Path]:
    """Return the folders that are not hidden, by name."""
    children = sorted(root.iterdir())
    skipped.hidden += sum(map(_is_hidden, children))
    return [child for child in children if child.is_dir() and not _is_hidden(child)]


def _walk(folder: Path, skipped: Skipped, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the files below a folder that are not hidden, through links but never in a circle."""
    if (real := folder.resolve()) in above:
        return
    for child in sorted(folder.iterdir()):
        if _is_hidden(child):
            skipped.hidden += 1
        elif child.is_dir():
            yield from _walk(child, skipped, (*above, real))
        elif child.is_file() or not child.exists():  # a link that leads nowhere is an error when it is read
            yield child
        else:
            skipped.special += 1


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(HIDDEN) or (path.name.lower() in HIDDEN_FOLDERS and path.is_dir())


def _is_image(file: Path, skipped: Skipped | None = None) -> bool:
    """Whether Pillow reads files with this ending; ``skipped`` counts those that it does not."""
    ending = file.suffix.lower()
    if ending in _endings():
        return True
    if skipped:
        skipped.endings[printable(ending) or "without an ending"] += 1
    return False


@cache
def _endings() -> frozenset[str]:
    return frozenset(ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN)
