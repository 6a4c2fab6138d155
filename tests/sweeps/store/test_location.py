"""The contract of a Location, by value. Another kind of place is one more line of PLACES."""

import contextlib
import errno
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
import threading

import pytest
import s3fs

from lt_core.errors import InputError
from sweeps.store import bucket
from sweeps.store.location import Folder
from sweeps.store.objects import ObjectStore
from tests import stores


@contextlib.contextmanager
def disk_full(at=0):
    """No file can grow beyond ``at`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def failing(name):
    """A system call that fails."""

    @contextlib.contextmanager
    def fails():
        def fail(*_):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, name, fail)
            yield

    return fails


def in_store(path):
    return ObjectStore(f"s3://{stores.BUCKET}/{path.parent.name}/{path.name}")


@contextlib.contextmanager
def refusing():
    """The store forbids to write."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_call_s3", raising(PermissionError("Access Denied")))
        yield


@contextlib.contextmanager
def away():
    """The store stays away for longer than anybody waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_call_s3", raising(ConnectionResetError("gone")))
        patch.setattr(bucket, "PATIENCE_SECONDS", 0.0)
        yield


def raising(error):
    async def fail(*_, **__):
        raise error

    return fail


# Kinds of place: what makes one of a fresh folder, and the ways in which it can fail to write.
PLACES = {
    "folder": (Folder, [disk_full, failing("fsync"), failing("replace")]),
    "s3": (in_store, [refusing, away]),
}
WAYS = [(make, way) for make, ways in PLACES.values() for way in ways]


@pytest.fixture(autouse=True)
def store(request):
    """Only the tests of that kind wait for a server."""
    if in_store in getattr(getattr(request.node, "callspec", None), "params", {}).values():
        request.getfixturevalue("s3")


@pytest.fixture(params=[make for make, _ in PLACES.values()], ids=list(PLACES))
def place(request, tmp_path):
    return request.param(tmp_path / "place")


def one_line(caught, *parts):
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_what_is_written_is_read_and_written_over(place):
    for content in (b"first", b"", bytes(range(256)) * 4096):
        place.write("sweep.json", content)
        assert place.read("sweep.json") == content
    place.write("a/b/c", b"deep")
    assert place.read("a/b/c") == b"deep"


def test_where_nothing_is_nothing_is_read(place):
    for name in ("none", "none/at/all"):
        with pytest.raises(OSError, match=r"none"):
            place.read(name)


def test_names_are_those_that_match_in_order_within_one_level(place):
    assert place.names("*") == []  # a place that is not there yet holds nothing
    for name in (
        "t/part-10",
        "t/part-2",
        "t/part-1",
        "t/other",
        "u/part-3",
        "t/deep/part-4",
        ".t.tmp",
        "t/.u.tmp",
    ):
        place.write(name, b"")
    assert place.names("t/part-*") == ["t/part-1", "t/part-10", "t/part-2"]
    assert place.names("*/part-*") == ["t/part-1", "t/part-10", "t/part-2", "u/part-3"]
    assert place.names("*") == [".t.tmp", "t", "u"]  # folders have names too
    assert place.names("t/*") == ["t/.u.tmp", "t/deep", "t/other", "t/part-1", "t/part-10", "t/part-2"]
    assert place.names("*/.*.tmp") == ["t/.u.tmp"]
    assert place.names("t/part-2") == ["t/part-2"]
    assert place.names("none/*") == place.names("t/none") == []


def test_a_name_is_given_another(place):
    place.write("t/a", b"a")
    place.write("t/b", b"b")
    place.rename("t/a", "t/_damaged-a")
    assert (place.read("t/_damaged-a"), place.names("t/*")) == (b"a", ["t/_damaged-a", "t/b"])
    place.rename("t/_damaged-a", "t/b")
    assert (place.read("t/b"), place.names("t/*")) == (b"a", ["t/b"])
    with pytest.raises(InputError) as caught:
        place.rename("t/none", "t/c")
    one_line(caught, f"cannot write {place}/t/none", "No such file or directory")


def test_what_is_removed_is_gone_with_all_below_it_and_nothing_may_be_there(place):
    place.remove("none")
    for name in ("a/b/c", "a/d", "e"):
        place.write(name, b"")
    place.remove("a/b")
    assert place.names("a/*") == ["a/d"]
    place.remove("a")
    place.remove("a")
    place.remove("a/d")
    assert place.names("*") == ["e"]
    place.remove("e")
    assert place.names("*") == []


@pytest.mark.parametrize(("make", "way"), WAYS)
def test_a_write_that_fails_leaves_what_was_there(make, way, tmp_path):
    place = make(tmp_path / "place")
    place.write("t/a", b"before")
    for name in ("t/a", "t/new"):
        with way(), pytest.raises(InputError) as caught:
            place.write(name, b"after" * 1000)
        one_line(caught, f"cannot write {place}/{name}", "what is there stays good")
    assert place.read("t/a") == b"before"
    assert place.names("t/*") == ["t/a"]  # and nothing half-written takes room
    place.write("t/a", b"after")
    assert place.read("t/a") == b"after"


def test_a_write_that_is_killed_leaves_what_was_there(tmp_path):
    Folder(tmp_path).write("a", b"before")
    code = f"""
import os, signal
from sweeps.store.location import Folder
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
Folder({str(tmp_path)!r}).write("a", b"after" * 1000)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert Folder(tmp_path).read("a") == b"before"


def test_who_reads_meanwhile_sees_one_content_or_the_other(place):
    contents = [bytes([k]) * 1_000_000 for k in range(2)]
    place.write("a", contents[0])
    over = threading.Event()

    def write():
        for k in range(50):
            place.write("a", contents[k % 2])
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not over.is_set():
        seen.append(place.read("a"))
    writer.join()
    assert set(seen) <= set(contents)


def test_a_log_grows_and_goes_on(place):
    held = place.lock()
    place.write("journal", b"head\n")
    log = place.log("journal")
    log.append(b"one\n")
    assert place.read("journal") == b"head\none\n"  # at once
    log.append(b"x" * 1_000_000 + b"\n")
    log.close()
    again = place.log("journal")
    again.append(b"two\n")
    again.append(b"")
    again.close()
    held.close()
    assert place.read("journal") == b"head\none\n" + b"x" * 1_000_000 + b"\ntwo\n"


def test_a_log_whose_place_is_full_says_so_and_keeps_what_it_has(tmp_path):
    place = Folder(tmp_path)
    log = place.log("journal")
    log.append(b"kept\n")
    with disk_full(at=8), pytest.raises(InputError) as caught:
        log.append(b"too much\n")
    one_line(caught, f"cannot write {tmp_path}/journal: File too large")
    with failing("fsync")(), pytest.raises(InputError) as caught:
        log.append(b"\n")
    one_line(caught, f"cannot write {tmp_path}/journal: Input/output error")
    log.close()
    assert place.read("journal").startswith(b"kept\n")


def test_a_place_has_one_writer_and_says_who_it_is(place):
    held = place.lock()
    who = f"process {os.getpid()} on {socket.gethostname()}"
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            place.lock()
        one_line(caught, f"{place} is in use by {who}: wait for it, or stop it")
    held.close()
    place.lock().close()


HOLDER = """
import os, signal, sys
from sweeps.store.location import Folder
held = Folder(sys.argv[1]).lock()
print(os.getpid(), flush=True)
signal.pause()
"""


def test_another_process_is_named_and_its_death_lets_go(tmp_path):
    place = Folder(tmp_path / "place")
    place.lock().close()  # who held it before is not who holds it now
    command = [sys.executable, "-c", HOLDER, str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            pid = holder.stdout.readline().strip()
            with pytest.raises(InputError) as caught:
                place.lock()
            one_line(caught, f"is in use by process {pid} on {socket.gethostname()}: wait")
        finally:
            holder.kill()
    place.lock().close()


def test_a_lock_whose_holder_has_not_said_who_it_is_is_one_all_the_same(tmp_path):
    with open(tmp_path / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InputError) as caught:
            Folder(tmp_path).lock()
    one_line(caught, f"{tmp_path} is in use by another process: wait for it")


def test_a_disk_that_knows_no_locks_is_one_line(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(InputError) as caught:
        Folder(tmp_path).lock()
    one_line(caught, f"cannot write {tmp_path}: No locks available")


@pytest.mark.parametrize(
    "write",
    [
        lambda place: place.write("a/b", b""),
        lambda place: place.rename("a", "a/b"),
        lambda place: place.remove("a/b"),
        lambda place: place.log("a/b"),
        lambda place: Folder(f"{place}/a").lock(),
    ],
)
def test_whatever_cannot_be_written_is_one_line(tmp_path, write):
    """A file stands where a folder should."""
    (tmp_path / "a").write_bytes(b"file")
    with pytest.raises(InputError) as caught:
        write(Folder(tmp_path))
    one_line(caught, f"cannot write {tmp_path}/a")
    assert (tmp_path / "a").read_bytes() == b"file"
