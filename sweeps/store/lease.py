"""The lock of an object store: who may write, as numbered objects whose highest is the owner's.

To take over is to create the next number, which a store lets one do alone. The owner rewrites its object
every few seconds. What is too old is judged by whether it changes, never by the clocks of two machines.

On the owner's machine a folder beside the journal, named as the owner, is locked by the system: whoever can
lock it knows at once, pids and host names aside, that the owner is dead, and has its journal.
"""

import json
import os
import shutil
import socket
import sys
import threading
import time
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from lt_core.errors import InputError
from sweeps.record.names import is_plain
from sweeps.store.bucket import Bucket
from sweeps.store.folder import Folder

NAME = ".lock-"
JOURNAL = "journal"
BEAT_SECONDS = 10.0
RENEW_SECONDS = 30.0  # an owner that was not heard for so long asks before it writes: what it then sends has
STALE_SECONDS = 60.0  # as long again to arrive before anybody takes over
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Claim:
    """What a lock object holds. ``released``: its owner has let go of it."""

    writer: str
    process: int
    host: str
    time: str
    beat: int = 0
    released: bool = False

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    def content(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class Lease:
    """The right to write, until it is closed or somebody has taken over.

    Attributes:
        disk: the writer's folder on this machine, with its journal.
    """

    def __init__(self, bucket: Bucket, number: int, claim: Claim, disk: Folder):
        self._bucket, self._number, self._claim, self.disk = bucket, number, claim, disk
        self._asks = bucket.impatient()  # the thread's: it comes again anyhow
        self._held = disk.lock()
        self._over, self._one = threading.Event(), threading.RLock()
        self._renewed = _now()
        self._wrong: Exception | None = None

    def begin(self) -> None:
        """Renew the lease from now on."""
        self._renewed = _now()
        threading.Thread(target=self._beats, name="lease", daemon=True).start()

    def check(self) -> None:
        """Raise InputError where somebody else has taken over; after a long silence, ask the store first."""
        if self._wrong:
            raise self._wrong
        if _since(self._renewed) > RENEW_SECONDS:
            self._renew(self._bucket)

    def close(self) -> None:
        """Let go. The object stays: an owner that wakes up later finds it above its own."""
        self._over.set()
        with self._one:
            if not self._wrong:
                self._bucket.put(_name(self._number), replace(self._claim, released=True).content())
        self.forget()

    def forget(self) -> None:
        """Close what is on this machine; a journal that is still needed stays."""
        if not self.disk.names(JOURNAL):
            shutil.rmtree(self.disk.path, ignore_errors=True)
        self._held.close()

    def _beats(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                self._renew(self._asks)
            except InputError:
                pass  # away: `check` renews before anything is written; or lost, which it knows
            except Exception as error:
                self._wrong = error  # not understood: raised where something is to be written
            if self._wrong:
                return

    def _renew(self, bucket: Bucket) -> None:
        with self._one:
            if self._over.is_set():
                return
            began = _now()
            claim = replace(self._claim, beat=self._claim.beat + 1)
            bucket.put(_name(self._number), claim.content())
            # Only now: whoever took over before that put is seen here, who does so later sees the put.
            number = numbers(bucket)[-1]
            if number > self._number:
                by, _ = _look(bucket, number)
                self._wrong = InputError(f"{bucket.uri} has been taken over by {by or 'another process'}")
                raise self._wrong
            self._claim, self._renewed = claim, began


def take(bucket: Bucket, cache: Path) -> Lease:
    """Become the owner; ``cache``: this machine's folder for the place.

    Raises:
        InputError: somebody else is, or the store cannot tell two who take over apart.
    """
    while True:
        last = max(numbers(bucket), default=0)
        claim, seen = _look(bucket, last) if last else (None, b"")
        if last and not (claim and claim.released):
            seen = _wait_for_its_end(bucket, last, claim, seen, cache)
        if lease := _try(bucket, last, claim, seen, cache):
            lease.begin()
            return lease


def numbers(bucket: Bucket) -> list[int]:
    """Return the numbers of the lock objects, in order."""
    ends = [name.removeprefix(NAME) for name in bucket.inside("") if name.startswith(NAME)]
    return sorted(int(end) for end in ends if end.isdecimal())


def _try(bucket: Bucket, last: int, before: Claim | None, seen: bytes, cache: Path) -> Lease | None:
    """Take over from the owner, last ``seen`` so; None: somebody else was quicker, or the owner lives."""
    claim = Claim(uuid.uuid4().hex, os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%FT%TZ}")
    disk = Folder(cache / claim.writer)
    lease = Lease(bucket, last + 1, claim, disk)
    old = Folder(cache / before.writer) if before else None
    if old and old.names(JOURNAL):  # before the lock: whoever has that has this too, whenever it is killed
        disk.write(JOURNAL, old.read(JOURNAL))
    try:
        mine = _created(bucket, last + 1, claim) and _undisturbed(bucket, last, seen)
    except BaseException:  # the lock may be there, and this the folder that it names
        lease.forget()
        raise
    if not mine:
        disk.remove(JOURNAL)
        lease.forget()
        return None
    for number in numbers(bucket)[:-1]:
        bucket.remove(_name(number))
    if old:
        shutil.rmtree(old.path, ignore_errors=True)
    return lease


def _created(bucket: Bucket, number: int, claim: Claim) -> bool:
    """Create a lock object, and see that the store refuses it a second time."""
    try:
        bucket.create(_name(number), claim.content())
    except FileExistsError:
        # It may be ours: a try that arrived, whose answer did not.
        if _look(bucket, number)[1] != claim.content():
            return False
    try:
        bucket.create(_name(number), claim.content())
    except FileExistsError:
        return True
    raise InputError(f"{bucket.uri}: this store writes over what is to be created: it cannot hold a lock")


def _undisturbed(bucket: Bucket, last: int, seen: bytes) -> bool:
    """Whether the owner did not come back while it was taken over from, and nobody was there in between."""
    there = numbers(bucket)
    if there[-1] == last + 1 and (not last or _look(bucket, last)[1] == seen):
        return True
    bucket.remove(_name(last + 1))
    return False


def _wait_for_its_end(bucket: Bucket, number: int, claim: Claim | None, seen: bytes, cache: Path) -> bytes:
    """Return what the owner last wrote, when it is dead; raise InputError when it lives."""
    who = str(claim or "another process")
    in_use = f"{bucket.uri} is in use by {who}: wait for it, or stop it"
    if claim and (cache / claim.writer).is_dir():  # of this machine
        try:
            Folder(cache / claim.writer).lock().close()
        except InputError:
            raise InputError(in_use) from None
        return seen
    print(
        f"note: {bucket.uri} was held by {who}: waiting up to {STALE_SECONDS:.0f} s for a sign of it",
        file=sys.stderr,
        flush=True,
    )
    since = time.monotonic()
    while time.monotonic() - since <= STALE_SECONDS:
        time.sleep(LOOK_SECONDS)
        if max(numbers(bucket), default=0) != number or _look(bucket, number)[1] != seen:
            raise InputError(in_use)
    return seen


def _look(bucket: Bucket, number: int) -> tuple[Claim | None, bytes]:
    """Return what a lock object says, None where that cannot be understood, and its content."""
    try:
        content = bucket.read(_name(number))
    except FileNotFoundError:
        return None, b""
    try:
        claim = Claim(**json.loads(content))
        return (claim if is_plain(claim.writer) else None), content
    except (ValueError, TypeError):
        return None, content


def _name(number: int) -> str:
    return f"{NAME}{number:06d}"


def _now() -> tuple[float, float]:
    """Return both clocks: one stands still while a machine sleeps, the other may be set."""
    return time.monotonic(), time.time()


def _since(moment: tuple[float, float]) -> float:
    """Return the seconds since a moment, by the clock that says more."""
    return max(now - then for now, then in zip(_now(), moment, strict=True))
