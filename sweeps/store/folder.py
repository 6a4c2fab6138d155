"""A place that is a folder on a disk."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lt_core.errors import InputError

LOCK = ".lock"


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

    def lock(self) -> TextIO:
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


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn a failure to write (a full disk, say) into a line that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; what is there stays good") from None
