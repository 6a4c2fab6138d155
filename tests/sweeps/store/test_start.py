"""A start that is killed at any moment leaves no dead end."""

import pytest

from lt_core.errors import InputError
from sweeps.store.location import Folder
from sweeps.store.results import Results

KNOWN = {
    "trial": "a-0000",
    "arm": "a",
    "phase": "search",
    "status": "finished",
    "epochs_done": 0,
    "known_from": "b: a-0000",
}


class Killed(BaseException):
    pass


class Mortal(Folder):
    """A folder whose writer is killed at its n-th write: the file beside is there, the rename is not."""

    def __init__(self, path, n):
        super().__init__(path)
        self.left = n

    def lock(self):
        self.held = super().lock()
        return self.held

    def write(self, name, content):
        if self.left == 0:
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.tmp").write_bytes(content[: len(content) // 2])
            self.held.close()  # as the system does
            raise Killed
        self.left -= 1
        super().write(name, content)


def begin(place, known=()):
    """What the command does before the first trial."""
    results = Results(place)
    if known:
        results.write(trials=list(known))
    place.write("sweep.json", b"{}")
    return results


@pytest.mark.parametrize("known", [(), (KNOWN,)], ids=["plain", "warm"])
@pytest.mark.parametrize("n", range(6))  # the journal, three tables, sweep.json; or none
def test_a_start_that_was_killed_can_be_made_again(tmp_path, n, known):
    place = Mortal(tmp_path / "sweep", n)
    try:
        begin(place, known).abandon()
    except Killed:
        assert not (tmp_path / "sweep" / "sweep.json").exists()
        again = begin(Folder(tmp_path / "sweep"), known)
        assert list(again.trials) == [row["trial"] for row in known]
    else:
        assert n == 5
        with pytest.raises(InputError, match="already holds results: go on with --resume"):
            Results(Folder(tmp_path / "sweep"))


def test_what_is_somebody_elses_or_has_run_is_never_cleared(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds notes.txt, and no sweep: give another --results"):
        Results(Folder(tmp_path))
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "notes.txt").unlink()
    results = begin(Folder(tmp_path))
    results.write(
        trials=[{"trial": "a-0000", "arm": "a", "phase": "final", "status": "running", "epochs_done": 0}]
    )
    results.abandon()
    (tmp_path / "sweep.json").unlink()
    with pytest.raises(InputError, match=r"holds trials without their sweep.json, and no sweep"):
        Results(Folder(tmp_path))
    assert (tmp_path / "journal").exists()


def test_a_refusal_lets_go_of_the_lock(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for _ in range(2):
        with pytest.raises(InputError, match=r"holds notes\.txt"):
            Results(Folder(tmp_path))
