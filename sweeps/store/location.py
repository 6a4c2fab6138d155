"""The place that holds a sweep: all that journal, lock, checkpoints, Parquet and selection need of one.

Names are relative, with / between their parts. ``Folder`` is the place on a disk; another kind of storage is
another class with these methods.
"""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from lt_core.errors import InputError

LOCK = ".lock"


class Held(Protocol):
    """Something of the place's that is held until it is closed."""

    def close(self) -> None:
        """Let go of it."""
        ...


class Log(Held, Protocol):
    """A file that only grows."""

    def append(self, content: bytes) -> None:
        """Return when ``content`` is on disk."""
        ...


class Files(Protocol):
    """What a trial needs of the place. Whatever writes raises InputError, one line, where it cannot."""

    def __str__(self) -> str:
        """Return what people call it."""
        ...

    def names(self, pattern: str) -> list[str]:
        """Return the names that match ``pattern`` (shell style, within one level of folders), in order.

        The lock is none of them; whether a folder that has become empty is one, the kind of place decides.
        """
        ...

    def read(self, name: str) -> bytes:
        """Return what is under a name; raise OSError where nothing is."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Put ``content`` under a name: whole, durably, or not at all."""
        ...

    def remove(self, name: str) -> None:
        """Remove a name, and what is below it; there may be nothing."""
        ...


class Location(Files, Protocol):
    """Where a sweep is kept: all that its writer needs."""

    @property
    def address(self) -> str:
        """Return what another process opens the place by, with `open_location`."""
        ...

    def rename(self, name: str, new: str) -> None:
        """Give what is under a name another one."""
        ...

    def log(self, name: str) -> Log:
        """Open a file to append to."""
        ...

    def lock(self) -> Held:
        """Become the place's only writer; raise InputError, which says who is."""
        ...


class Folder:
    """A folder on a disk that this machine sees."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def address(self) -> str:
        return str(self.path.resolve())

    def names(self, pattern: str) -> list[str]:
        found = (path.relative_to(self.path).as_posix() for path in self.path.glob(pattern))
        return sorted(name for name in found if name != LOCK)

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        path = self.path / name
        temporary = path.with_name(f".{path.name}.tmp")
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with open(temporary, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            except OSError:
                temporary.unlink(missing_ok=True)  # on a full disk every block counts
                raise

    def rename(self, name: str, new: str) -> None:
        with naming(self.path / name):
            (self.path / name).rename(self.path / new)

    def remove(self, name: str) -> None:
        path = self.path / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with naming(path):
                path.unlink(missing_ok=True)

    def log(self, name: str) -> "FileLog":
        return FileLog(self.path / name)

    def lock(self) -> Held:
        with naming(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            file = open(self.path / LOCK, "a+")  # noqa: SIM115  (held by whoever asked)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "another process"  # that has not written its name yet
                file.close()
                raise InputError(f"{self.path} is in use by {holder}: wait for it, or stop it") from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
            return file


class FileLog:
    """Appends to one file."""

    def __init__(self, path: Path):
        self.path = path
        with naming(path):
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115  (open until close)

    def append(self, content: bytes) -> None:
        with naming(self.path):
            while content:  # a disk that is nearly full takes a part, and then says why
                content = content[self._file.write(content) :]
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def open_location(address: str) -> Location:
    """Open the place that has this address."""
    return Folder(address)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn a failure to write (a full disk, say) into a line that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; what is there stays good") from None
