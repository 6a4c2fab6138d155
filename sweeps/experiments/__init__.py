"""One file an experiment: its docstring's first line is what --list says, its function ``experiment``
takes the data and returns an Experiment. A new file here is found by its name; a file of the user's own
is found by its path.

What is heavy is imported where it is needed: --list and wrong names wait for neither torch nor Optuna.
"""

import ast
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from lt_core.errors import InputError
from lt_core.registry import nearest
from sweeps.record.names import RULE, is_plain

if TYPE_CHECKING:
    from lt_core.data import Dataset
    from sweeps.planning.experiment import Experiment

HERE = Path(__file__).parent
# Names that files of the user's own imported before version 2 of the record: their sweeps can be gone on with
# only as long as the files are what they were.
BEFORE = {
    "sweeps.experiment": "sweeps.planning.experiment",
    "sweeps.presets": "sweeps.planning.presets",
    "sweeps.spaces": "sweeps.planning.spaces",
}


def known() -> dict[str, str]:
    """Return the first docstring line of every experiment, by name; none of them is imported."""
    files = sorted(path for path in HERE.glob("*.py") if path.stem != "__init__")
    return {path.stem: _first_line(_docstring(path)) for path in files}


def name_of(name_or_file: str) -> str:
    """Return the name of an experiment, which its results are called after, without loading it.

    Raises:
        InputError: there is no such experiment, or no such file.
    """
    path = own_file(name_or_file)
    if path is None:
        names = list(known())
        if name_or_file not in names:
            raise InputError(f"unknown experiment {nearest(name_or_file, names)}; a file must end in .py")
        return name_or_file
    if not path.is_file():
        raise InputError(f"experiment file {Path(name_or_file)} does not exist")
    if not is_plain(path.stem):  # its results are called after it
        raise InputError(f"experiment {path.stem!r}: {RULE}")
    return path.stem


def own_file(name_or_file: str) -> Path | None:
    """Return the absolute path of a file of the user's own, None for the name of an experiment."""
    return Path(name_or_file).absolute() if name_or_file.endswith(".py") else None


def own_source(name_or_file: str) -> tuple[str, bytes] | None:
    """Return path and text of a file of the user's own, with which `load_source` loads it on any machine."""
    path = own_file(name_or_file)
    return (str(path), path.read_bytes()) if path else None


def find(name_or_file: str) -> tuple[str, ModuleType]:
    """Return the name and the module of an experiment."""
    name, path = name_of(name_or_file), own_file(name_or_file)
    if path is None:
        return name, importlib.import_module(f"sweeps.experiments.{name}")
    module = load_file(path)
    if not callable(getattr(module, "experiment", None)):
        raise InputError(f"{path} defines no function experiment(data) that returns an Experiment")
    return name, module


def make(module: ModuleType, data: "Dataset") -> "Experiment":
    """Return the module's experiment on ``data``.

    Raises:
        InputError: whatever goes wrong in a file of the user's own; in ours it is a bug, and raised as it is.
    """
    from sweeps.planning.experiment import Experiment

    path = Path(str(module.__file__))
    with nullcontext() if path.parent == HERE else in_one_line(path):
        made = module.experiment(data)
    if not isinstance(made, Experiment):
        raise InputError(f"{module.__file__}: experiment(data) returns {made!r}, not an Experiment")
    return made


def load_file(path: Path) -> ModuleType:
    """Execute a Python file as a module; its losses and models register themselves as it loads.

    Raises:
        InputError: whatever goes wrong in the file, with the line in it.
    """
    with in_one_line(path):
        text = path.read_bytes()
    return load_source(path, text)


def load_source(path: Path, text: bytes) -> ModuleType:
    """Execute the ``text`` of a file as `load_file` does: on another machine the file need not be there."""
    spec = importlib.util.spec_from_file_location(f"experiment_{path.stem}", path)
    assert spec, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    for before, now in BEFORE.items():
        sys.modules.setdefault(before, importlib.import_module(now))
    with in_one_line(path):
        exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def summary(module: ModuleType) -> str:
    """Return the first line of the module's docstring."""
    return _first_line(module.__doc__)


def _docstring(path: Path) -> str | None:
    with in_one_line(path):
        return ast.get_docstring(ast.parse(path.read_bytes(), str(path)))


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


@contextmanager
def in_one_line(path: Path) -> Iterator[None]:
    """Turn what an experiment's file raises into a line: the file, the line in it, the error."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise InputError(f"{_where(path, error)}: {_what(error)}") from None


def _where(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:  # in the file, or in one that it imports
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == path.resolve()]
    return f"{path}, line {lines[-1]}" if lines else str(path)


def _what(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    shown = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return " ".join(shown.split()).removesuffix(":")
