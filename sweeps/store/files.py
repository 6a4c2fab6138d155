"""Files that appear whole, failures that name the file, and one writer for a folder."""

import fcntl
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from lt_core.errors import InputError


def is_plain(name: str) -> bool:
    """Say whether a name stays in the folder that it is put into."""
    return re.fullmatch(r"\w[\w.+-]*", name, re.ASCII) is not None


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` make a file beside ``path``, flush it to disk, then rename it into place."""
    temporary = path.with_name(f".{path.name}.tmp")
    with naming(path):
        try:
            write(temporary)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)  # on a full disk every block counts
            raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn a failure to write (a full disk, say) into a line that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; what is there stays good") from None


def lock(folder: Path) -> TextIO:
    """Return the folder's lock, held until the file is closed or the process has ended.

    Raises:
        InputError: another process holds it; the line says which.
    """
    with naming(folder / ".lock"):
        file = open(folder / ".lock", "a+")  # noqa: SIM115  (held by whoever asked)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise InputError(f"{folder} is in use by {file.read().strip()}: wait for it, or stop it") from None
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    file.flush()
    return file
