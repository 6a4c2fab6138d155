"""The place that holds a sweep: all that journal, lock, checkpoints, Parquet and selection need of one.

Names are relative, with / between their parts. ``Folder`` is the place on a disk, ``ObjectStore`` the one at
a URI; another kind of storage is another class with these methods.
"""

from typing import Protocol

from sweeps.store.folder import Folder


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
        """Open a file to append to; it is of whoever holds the lock."""
        ...

    def lock(self) -> Held:
        """Become the place's only writer; raise InputError, which says who is."""
        ...


def open_location(address: str) -> Location:
    """Open the place that has this address: a folder's path, or the URI of an object store."""
    if "://" not in address:
        return Folder(address)
    from sweeps.store.objects import ObjectStore  # a folder needs no package for stores

    return ObjectStore(address)
