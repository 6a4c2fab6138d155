"""Checkpoints that are damaged, unwritable, early or hostile."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lt_core.errors import InputError
from sweeps.store.checkpoints import CLOSING, Checkpoints, _digest
from sweeps.store.location import Folder


@pytest.fixture
def store(tmp_path):
    return Checkpoints(Folder(tmp_path), "run", attempt=1, every=0)


def state(epoch):
    return {"epoch": epoch, "weights": torch.arange(40.0) * epoch, "name": "x", "nothing": None}


def folder(store):
    return store.place.path / "checkpoints" / "run"


def files(store):
    return sorted(path.name[:9] for path in folder(store).iterdir())


def test_the_newest_two_are_kept_and_come_back_whole(store):
    for epoch in range(1, 6):
        store.write(epoch, state(epoch))
    assert files(store) == ["00004-001", "00005-001"]
    found = store.newest(up_to=9)
    assert (found["epoch"], found["name"], found["nothing"]) == (5, "x", None)
    assert torch.equal(found["weights"], torch.arange(40.0) * 5)
    assert store.newest(up_to=4)["epoch"] == 4  # never ahead of what was reported
    assert store.newest(up_to=3) is None


def test_an_attempt_that_was_never_heard_out_does_not_stand_in_the_way(store):
    Checkpoints(store.place, "run", attempt=0, every=0).write(9, state(9))
    store.write(3, state(3))
    store.write(4, state(4))
    assert files(store) == ["00003-001", "00004-001"]


@given(data=st.data(), how=st.sampled_from(["cut", "altered", "emptied"]))
def test_a_damaged_file_is_named_and_the_one_before_it_used(tmp_path_factory, data, how):
    store = Checkpoints(Folder(tmp_path_factory.mktemp("c")), "run", attempt=1, every=0)
    store.write(1, state(1))
    store.write(2, state(2))
    (newest,) = folder(store).glob("00002-*")
    content = bytearray(newest.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if how == "altered":
        content[at] ^= data.draw(st.integers(1, 255))
    newest.write_bytes({"cut": content[:at], "altered": content, "emptied": b""}[how])
    assert store.newest(up_to=2)["epoch"] == 1
    assert store.notes == [f"checkpoint {newest} is damaged: the one before it is used"]


def test_loading_never_executes(store, tmp_path):
    """A pickle that writes a file when it is loaded, under a name that is right for its content."""

    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    content = pickle.dumps(Hostile())
    folder(store).mkdir(parents=True)
    (folder(store) / f"00001-001-{_digest(content)}.pt").write_bytes(content)
    with pytest.raises(pickle.UnpicklingError, match="eights"):
        store.newest(up_to=1)
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_that_cannot_be_written_is_a_note_and_leaves_the_last(store, monkeypatch):
    store.write(1, state(1))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    store.write(2, state(2))
    assert files(store) == ["00001-001"]
    (note,) = store.notes
    assert "00002-001" in note
    assert "No space left on device; what is there stays good; the trial goes on" in note


def test_due_by_time_or_when_the_sweep_closes(tmp_path):
    assert Checkpoints(Folder(tmp_path), "run", attempt=1, every=0).due
    store = Checkpoints(Folder(tmp_path), "run", attempt=1, every=3600)
    assert not store.due
    Folder(tmp_path).write(CLOSING, b"")
    assert store.due


class Away(Folder):
    """A place that does not answer."""

    def names(self, pattern):
        raise InputError("the store is away")

    def write(self, name, content):
        raise InputError("the store is away")


def test_a_trial_goes_on_without_a_place_for_checkpoints(tmp_path):
    store = Checkpoints(Away(tmp_path), "run", attempt=1, every=60.0)
    assert store.newest(up_to=9) is None
    assert store.due is False
    store.write(1, state(1))
    assert store.notes == [
        "the store is away; the trial begins anew",
        "the store is away",
        "the store is away; the trial goes on without this checkpoint",
    ]
