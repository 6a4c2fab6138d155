"""Calls to an object store: each is done whole, tried again while the store is away, or one line."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import Any, Self

from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem

from lt_core.errors import InputError
from sweeps.record.errors import RecordError
from sweeps.record.remote import absence, filesystem, refusal

PATIENCE_SECONDS = 600.0  # with a store that is away
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between tries


class Bucket:
    """The objects below a URI; names are relative to it.

    Whatever fails raises InputError, but for what is said of `read` and `create`. While the store is away it
    is tried again.
    """

    def __init__(self, uri: str):
        self.uri, self._patient = uri, True
        try:
            self._fs, self._root = filesystem(uri)
        except RecordError as error:
            raise InputError(str(error)) from None
        if not _puts_whole(self._fs):
            raise InputError(f"{uri}: results need an object store, such as s3://, or a folder's path")
        self._waiting, self._told = threading.local(), threading.Event()

    def impatient(self) -> Self:
        """Return the same, that raises at once where the store is away; an outage has one note of the two."""
        other = copy(self)
        other._patient = False
        return other

    def read(self, name: str) -> bytes:
        """Return an object; raise FileNotFoundError where there is none."""
        return self._do("read", name, lambda path: self._fs.cat_file(path))

    def put(self, name: str, content: bytes, allowed: Callable[[], None] = lambda: None) -> None:
        """Write an object; ``allowed`` raises where that may no longer be, and is asked before every try."""
        self._do("write", name, lambda path: self._fs.pipe_file(path, content), allowed)

    def create(self, name: str, content: bytes) -> None:
        """Write an object that is not there; raise FileExistsError where it is."""
        self._do("write", name, lambda path: self._fs.pipe_file(path, content, mode="create"))

    def duplicate(self, name: str, new: str, allowed: Callable[[], None]) -> None:
        """Copy an object; raise FileNotFoundError where there is none."""
        self._do("write", name, lambda path: self._fs.cp_file(path, f"{self._root}/{new}"), allowed)

    def remove(self, name: str, allowed: Callable[[], None] = lambda: None) -> None:
        """Remove what is under a name and below it; there may be nothing."""
        with suppress(FileNotFoundError):
            self._do("remove", name, lambda path: self._fs.rm(path, recursive=True), allowed)

    def inside(self, folder: str) -> list[str]:
        """Return the names that are directly in a folder, "" for the topmost."""
        try:
            found = self._do("list", folder, lambda path: self._fs.ls(path, detail=False))
        except FileNotFoundError:
            return []
        start = f"{self._root}/"
        below = f"{folder}/" if folder else ""
        names = {name.rstrip("/").removeprefix(start) for name in found if name.startswith(start)}
        return sorted(name for name in names if name.startswith(below))

    def _do(
        self, doing: str, name: str, act: Callable[[str], Any], allowed: Callable[[], None] = lambda: None
    ) -> Any:
        """Do one call until it is answered, or the patience is over."""
        path, what = f"{self._root}/{name}".rstrip("/"), f"cannot {doing} {self.uri}/{name}".rstrip("/")
        good = "; what is there stays good" if doing == "write" else ""
        until, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_PAUSE
        while True:
            allowed()
            try:
                answer = act(path)
                self._told.clear()
                return answer
            except Exception as error:
                if why := refusal(error):
                    raise InputError(f"{what}: {why}{good}") from None
                if not (why := absence(error)):
                    raise
            if not self._told.is_set():
                self._told.set()
                _tell(f"{self.uri} is away ({why}): tried again for {PATIENCE_SECONDS / 60:.0f} minutes")
            if not self._patient or time.monotonic() + pause > until or self._waits():
                raise InputError(f"{what}: {why}{good}")
            self._wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _waits(self) -> bool:
        """Whether this is a signal's call in the midst of another one's pause: it ends the waiting."""
        return getattr(self._waiting, "now", False)

    def _wait(self, seconds: float) -> None:
        self._waiting.now = True
        try:
            time.sleep(seconds)
        finally:
            self._waiting.now = False


def _puts_whole(fs: Any) -> bool:
    """Whether an object appears at once. What fsspec itself does, open and write, leaves a part behind."""
    if isinstance(fs, AsyncFileSystem):
        return type(fs)._pipe_file is not AsyncFileSystem._pipe_file
    return type(fs).pipe_file is not AbstractFileSystem.pipe_file


def _tell(note: str) -> None:
    print(f"note: {note}", file=sys.stderr, flush=True)
