"""--resume where the data has moved: the fingerprint decides, not the path."""

import contextlib
import json
import shutil

import pytest

from sweeps.run import main
from tests.lt_core.data.test_folder import tree

OWN = """from sweeps.planning import Arm, Experiment

def experiment(data):
    knobs = {"n_max": 4, "imbalance_ratio": 2.0, "epochs": 1}
    return Experiment(base=knobs, arms=[Arm(name="ce", label="CE")], seeds=1)
"""


@pytest.fixture(scope="module")
def begun_once(tmp_path_factory):
    """A sweep on a folder of images, as far as its sweep.json; the folder is then renamed."""
    where = tmp_path_factory.mktemp("begun")
    (where / "mine.py").write_text(OWN)
    tree(where / "pets", images=12)
    with contextlib.chdir(where):
        _begin(["./mine.py", "--dataset", "folder:pets"])
    (where / "pets").rename(where / "elsewhere")
    return where


@pytest.fixture
def begun(begun_once, tmp_path, monkeypatch):
    """A copy of it, and there we are."""
    copy = shutil.copytree(begun_once, tmp_path / "copy")
    monkeypatch.chdir(copy)
    return copy


def _begin(arguments):
    """Leave the results folder that the command leaves when it is killed as its first trial begins."""
    from sweeps import run
    from sweeps.store.results import Results

    class Killed(BaseException):
        pass

    def killed(plan, data, folder, description, *others):
        results = Results(folder, resume=False)
        results.describe(description)
        results.abandon()
        raise Killed

    usual, run._run = run._run, killed
    try:
        with pytest.raises(Killed):
            main(arguments)
    finally:
        run._run = usual


def test_the_new_place_is_asked_for(begun, capsys):
    assert main(["./mine.py", "--resume", "--dry-run"]) == 2
    missing = "pets is not a folder: check the path"
    assert f"{missing}; if it has moved, say where to with --dataset\n" in capsys.readouterr().err


def test_on_a_first_run_nothing_has_moved(begun, capsys):
    assert main(["./mine.py", "--results", "new", "--dry-run", "--dataset", "folder:nothere"]) == 2
    assert capsys.readouterr().err.endswith("nothere is not a folder: check the path\n")


def test_the_sweep_goes_on_where_the_data_is_the_same(begun):
    assert main(["./mine.py", "--resume", "--dry-run", "--dataset", "folder:elsewhere"]) == 0


def test_other_data_is_refused(begun, capsys):
    tree(begun / "other", images=11)
    assert main(["./mine.py", "--resume", "--dry-run", "--dataset", "folder:other"]) == 2
    assert "the sweep was begun with data pets (" in capsys.readouterr().err


def test_the_same_images_under_other_names_of_classes_are_refused(begun, capsys):
    for split in ("train", "test"):
        (begun / "elsewhere" / split / "dog").rename(begun / "elsewhere" / split / "owl")
    assert main(["./mine.py", "--resume", "--dry-run", "--dataset", "folder:elsewhere"]) == 2
    assert (
        "the sweep was begun with the classes ['cat', 'dog'], it is ['cat', 'owl'] now"
        in capsys.readouterr().err
    )


def test_what_is_on_record_is_the_place_that_was_begun_with(begun_once):
    options = json.loads((begun_once / "results" / "mine" / "sweep.json").read_text())["options"]
    assert options["dataset"] == f"folder:{begun_once / 'pets'}"
