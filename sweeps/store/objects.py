"""A place that is a prefix in an object store (S3 and the like), named by its URI.

A put is visible whole or not at all. What is appended to a row at a time, the journal, is on the disk of the
machine that writes: see `lease`.
"""

import errno
import hashlib
import os
from fnmatch import fnmatchcase
from pathlib import Path

from lt_core.errors import InputError
from sweeps.store import lease as leases
from sweeps.store.bucket import Bucket
from sweeps.store.folder import FileLog
from sweeps.store.lease import JOURNAL, Lease


class ObjectStore:
    """Objects below a URI. Who holds no lock, a trial, writes unasked: its names are of one attempt alone."""

    def __init__(self, uri: str):
        """Raise InputError where no store is known by that URI, or its package is missing."""
        self.address = uri.rstrip("/")
        self._bucket = Bucket(self.address)
        self._lease: Lease | None = None

    def __str__(self) -> str:
        return self.address

    def names(self, pattern: str) -> list[str]:
        *folders, last = pattern.split("/")
        found = [""]
        for part in folders:
            found = self._matching(found, part) if _is_wild(part) else [_below(base, part) for base in found]
        names = set(self._matching(found, last)) | set(self._on_disk(pattern))
        return sorted(name for name in names if not name.startswith(leases.NAME))

    def read(self, name: str) -> bytes:
        try:
            if name == JOURNAL:
                return self._owned().disk.read(name)
            return self._bucket.read(name)
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{self}/{name}") from None

    def write(self, name: str, content: bytes) -> None:
        if name == JOURNAL:
            self._owned().check()
            self._owned().disk.write(name, content)
        else:
            self._bucket.put(name, content, self._check)

    def rename(self, name: str, new: str) -> None:
        try:
            self._bucket.duplicate(name, new, self._check)
        except FileNotFoundError:
            why = os.strerror(errno.ENOENT)
            raise InputError(f"cannot write {self}/{name}: {why}; what is there stays good") from None
        self._bucket.remove(name, self._check)

    def remove(self, name: str) -> None:
        if name == JOURNAL:
            self._owned().disk.remove(name)
        else:
            self._bucket.remove(name, self._check)

    def log(self, name: str) -> "OwnedLog":
        return OwnedLog(self._owned(), name)

    def lock(self) -> Lease:
        self._lease = leases.take(self._bucket, _cache(self.address))
        return self._lease

    def _check(self) -> None:
        if self._lease:
            self._lease.check()

    def _owned(self) -> Lease:
        if self._lease is None:
            raise InputError(f"cannot open the journal of {self}: it is of whoever holds the lock")
        return self._lease

    def _matching(self, folders: list[str], part: str) -> list[str]:
        inside = [name for folder in folders for name in self._bucket.inside(folder)]
        return [name for name in inside if fnmatchcase(name.rpartition("/")[2], part)]

    def _on_disk(self, pattern: str) -> list[str]:
        there = self._lease.disk.names(JOURNAL) if self._lease else []
        return [name for name in there if fnmatchcase(name, pattern)]


class OwnedLog:
    """A log on this machine's disk, which its owner alone appends to."""

    def __init__(self, lease: Lease, name: str):
        self._lease = lease
        self._log: FileLog = lease.disk.log(name)

    def append(self, content: bytes) -> None:
        self._lease.check()
        self._log.append(content)

    def close(self) -> None:
        self._log.close()


def _cache(uri: str) -> Path:
    """Return this machine's folder for a place."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "longtail-sweeps" / hashlib.sha256(uri.encode()).hexdigest()[:16]


def _is_wild(part: str) -> bool:
    return bool(set(part) & set("*?["))


def _below(folder: str, part: str) -> str:
    return f"{folder}/{part}" if folder else part
