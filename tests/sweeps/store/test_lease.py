"""The lock of an object store, and the journal that belongs to it. A machine is its cache folder here."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from lt_core.errors import InputError
from sweeps.store import lease
from sweeps.store.bucket import Bucket
from sweeps.store.objects import ObjectStore

NEVER = 1e9
HOLDER = """
import signal, sys
from sweeps.store.objects import ObjectStore
place = ObjectStore(sys.argv[1])
held = place.lock()
place.write("journal", b"head\\n")
place.log("journal").append(b"row\\n")
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def uri(s3, monkeypatch):
    """A place; who waits for a sign of life waits for less."""
    monkeypatch.setattr(lease, "STALE_SECONDS", 0.5)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.1)
    return f"{s3}/sweep"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Be on another machine from now on."""
    return lambda name: monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))


@pytest.fixture
def silent(monkeypatch):
    """Who becomes the owner from now on says no more of itself, as one that is suspended."""
    monkeypatch.setattr(lease, "BEAT_SECONDS", NEVER)


@pytest.fixture
def killed(uri):
    """A place whose owner, on this machine, was killed with a row in its journal."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, uri], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "ready\n"
        holder.kill()
    assert holder.returncode == -signal.SIGKILL
    return uri


def lock_objects(uri):
    bucket = Bucket(uri)
    return {number: json.loads(bucket.read(f".lock-{number:06d}")) for number in lease.numbers(bucket)}


def test_the_lock_says_who_and_the_last_one_stays_as_released(uri):
    for number in (1, 2):
        held = ObjectStore(uri).lock()
        (claim,) = lock_objects(uri).values()
        assert (claim["process"], claim["host"]) == (os.getpid(), socket.gethostname())
        assert not claim["released"]
        held.close()
        assert [(n, one["released"]) for n, one in lock_objects(uri).items()] == [(number, True)]
    assert ObjectStore(uri).names("*") == []


def test_a_killed_owner_of_this_machine_is_followed_at_once_and_its_journal_read(killed, capsys):
    place = ObjectStore(killed)
    held = place.lock()
    assert place.read("journal") == b"head\nrow\n"
    assert list(lock_objects(killed)) == [2]
    assert capsys.readouterr().err == ""  # nothing was waited for
    place.remove("journal")
    held.close()


def test_elsewhere_it_is_waited_for_and_there_is_no_journal(killed, machine, capsys):
    machine("other")
    place = ObjectStore(killed)
    held = place.lock()
    assert "waiting up to" in capsys.readouterr().err
    assert place.names("journal") == []
    held.close()


def test_a_journal_older_than_the_results_is_never_read(killed, machine):
    """Its owner was killed, the sweep went on elsewhere and ended there."""
    machine("other")
    ObjectStore(killed).lock().close()
    machine("cache")
    place = ObjectStore(killed)
    held = place.lock()
    assert place.names("journal") == []
    held.close()


def test_a_journal_stays_where_the_lock_is_let_go_of_without_its_end(uri):
    """A refusal after the lock was taken."""
    place = ObjectStore(uri)
    held = place.lock()
    place.write("journal", b"row\n")
    held.close()
    for _ in range(2):
        held = place.lock()
        assert place.read("journal") == b"row\n"
        held.close()


def test_an_owner_elsewhere_that_lives_is_not_followed(uri, machine, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lease, "STALE_SECONDS", 60.0)
    held = ObjectStore(uri).lock()
    machine("other")
    with pytest.raises(InputError) as caught:
        ObjectStore(uri).lock()
    who = f"process {os.getpid()} on {socket.gethostname()}"
    assert str(caught.value) == f"{uri} is in use by {who}: wait for it, or stop it"
    held.close()


def test_who_was_taken_over_from_writes_nothing_any_more(uri, machine, silent, monkeypatch):
    old = ObjectStore(uri)
    held = old.lock()
    old.write("a", b"old")
    old.write("journal", b"")
    log = old.log("journal")
    machine("other")
    new = ObjectStore(uri)
    new_held = new.lock()
    new.write("a", b"new")
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.0)  # the silence was long
    attempts = [
        lambda: old.write("a", b"older"),
        lambda: old.write("journal", b"older"),
        lambda: old.rename("a", "b"),
        lambda: old.remove("a"),
        lambda: log.append(b"older"),
    ]
    for attempt in attempts:
        with pytest.raises(InputError, match=rf"has been taken over by process {os.getpid()} on "):
            attempt()
    log.close()
    held.close()
    assert (new.read("a"), new.names("*")) == (b"new", ["a"])
    new.write("a", b"newer")
    new_held.close()
    assert [one["released"] for one in lock_objects(uri).values()][-1]


def test_the_thread_sees_it_too(uri, machine, silent, monkeypatch):
    old = ObjectStore(uri)
    old.lock()
    machine("other")
    held = ObjectStore(uri).lock()
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.01)
    old._lease._beats()  # until it has lost
    with pytest.raises(InputError, match="has been taken over"):
        old.write("a", b"")
    held.close()


def test_an_owner_that_wakes_up_when_all_is_over_is_too_late(uri, machine, silent, monkeypatch):
    old = ObjectStore(uri)
    old.lock()
    machine("other")
    ObjectStore(uri).lock().close()
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.0)
    with pytest.raises(InputError, match="has been taken over"):
        old.write("a", b"")


def test_an_owner_that_comes_back_while_it_is_taken_over_from_keeps_the_place(
    uri, machine, silent, monkeypatch
):
    old = ObjectStore(uri)
    held = old.lock()
    machine("other")
    create, back = Bucket.create, []

    def late(bucket, name, content):
        if not back:
            back.append(old._lease._renew(bucket))
        create(bucket, name, content)

    monkeypatch.setattr(Bucket, "create", late)
    monkeypatch.setattr(lease, "_wait_for_its_end", waits_once(lease._wait_for_its_end))
    with pytest.raises(InputError, match="is in use by"):
        ObjectStore(uri).lock()
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.0)
    old.write("a", b"mine")
    assert list(lock_objects(uri)) == [1]
    held.close()


def waits_once(wait):
    calls = []

    def once(bucket, number, claim, seen, cache):
        if calls:
            raise InputError("is in use by the one that came back")
        calls.append(number)
        return wait(bucket, number, claim, seen, cache)

    return once


def test_of_many_who_take_over_one_becomes_the_owner(uri):
    ObjectStore(uri).lock().close()
    got, begin = [], threading.Barrier(6)

    def contend():
        begin.wait()
        try:
            got.append(ObjectStore(uri).lock())
        except InputError as error:
            got.append(str(error))

    threads = [threading.Thread(target=contend) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, lease.Lease) for one in got) == 1
    assert all("is in use by" in one for one in got if isinstance(one, str))
    next(one for one in got if isinstance(one, lease.Lease)).close()


def test_a_store_that_writes_over_what_is_to_be_created_is_refused(uri, monkeypatch):
    monkeypatch.setattr(Bucket, "create", lambda bucket, name, content: bucket.put(name, content))
    with pytest.raises(InputError, match="it cannot hold a lock"):
        ObjectStore(uri).lock()


def test_a_lock_that_nobody_wrote_is_waited_for_and_leads_nowhere(uri, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "journal").write_bytes(b"not of this sweep\n")
    claim = lease.Claim("../../../outside", 1, "h", "t")
    for content in (claim.content(), b"", b"[]", b"{"):
        Bucket(uri).put(".lock-000007", content)
        place = ObjectStore(uri)
        held = place.lock()
        assert (list(lock_objects(uri)), place.names("journal")) == ([8], [])
        held.close()
        Bucket(uri).remove(".lock-000008")
    assert (tmp_path / "outside" / "journal").exists()
