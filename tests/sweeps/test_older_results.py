"""Results that were written before this version resume, warm-start and report.

tests/data/version1 is such a folder as its sweep left it, on digits: a search that was extended, so that two
final runs are superseded, and that was interrupted in a later final run. version1.txt is what the code of
then printed of it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.report import main as report
from lt_core.config import TrainConfig
from sweeps import experiments
from sweeps.planning.plan import make_plan
from sweeps.record.versions import VERSION
from sweeps.search.warm_start import known_trials
from sweeps.store import journal
from sweeps.store.location import Folder
from sweeps.store.recovery import recover
from sweeps.store.results import Results
from sweeps.store.same_sweep import DECISIVE
from sweeps.store.schemas import DEFAULTS, KNOBS, SCHEMAS

ROOT = Path(__file__).parent.parent.parent
VERSION_1 = ROOT / "tests" / "data" / "version1"
RAW = {name: pq.read_table(VERSION_1 / name / "part-00000.parquet") for name in SCHEMAS}
MINE = '''
"""Does decoupling help, with its share searched?"""

from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.spaces import SPACES, Maybe

SHARE = SPACES["stage1_share"]


def experiment(data):
    return Experiment(
        base={"imbalance_ratio": 10.0, "n_max": 40, "epochs": 6, "batch_size": 32},
        arms=[
            Arm(name="ce", label="CE"),
            Arm(
                name="decoupled",
                label="decoupled, searched",
                start={"stage1_share": 0.5},
                search={"lr": SPACES["lr"], "stage1_share": SHARE},
                baseline="ce",
            ),
            Arm(
                name="either",
                label="decoupled or not, searched",
                search={"stage1_share": Maybe(SHARE)},
                baseline="ce",
            ),
        ],
        trials=3,
        seeds=2,
        questions=[Question("Does decoupling help?", "decoupled", "ce")],
    )
'''
INTERRUPTED, SUPERSEDED = "ce-final-02", ["decoupled-final-0001-00", "decoupled-final-0001-01"]


@pytest.fixture
def older(tmp_path):
    """The folder where it was, beside its experiment in today's words, begun with today's packages."""
    folder = tmp_path / "results" / "version1"
    shutil.copytree(VERSION_1, folder)
    (tmp_path / "version1.py").write_text(MINE)
    about = json.loads((folder / "sweep.json").read_text())
    about["file"] = hashlib.sha256(MINE.encode()).hexdigest()[:16]
    about["versions"] |= {package: metadata.version(package) for package in DECISIVE}
    (folder / "sweep.json").write_text(json.dumps(about))
    return folder


def renamed(proposal):
    return proposal and proposal.replace('"split', '"stage1_share')


def test_the_folder_is_of_version_1_and_names_no_machine():
    about = json.loads((VERSION_1 / "sweep.json").read_text())
    assert "version" not in about
    assert (about["options"]["data_dir"], about["options"]["results"]) == ("data", "results")
    assert RAW["trials"]["host"].null_count == len(RAW["trials"])
    assert "split" in RAW["trials"].column_names
    assert "val_potential" in RAW["epochs"].column_names
    assert sum(path.stat().st_size for path in VERSION_1.rglob("*") if path.is_file()) < 60_000


def words(text):
    """The words of a report, line by line; rules and spaces follow from the longest."""
    lines = [line.split() for line in text.splitlines()]
    return [line for line in lines if set("".join(line)) != {"-"}]


def test_its_report_is_what_it_was(capsys):
    assert report([str(VERSION_1), "--tables-only"]) == 0
    printed = words((VERSION_1.with_suffix(".txt")).read_text().replace("split 0.", "stage1_share 0."))
    now = [
        line for line in words(capsys.readouterr().out) if line in printed
    ]  # a table that is new may be there
    assert now == printed


def check_recovered(found):
    """Every row is there, with today's columns, and says what it said."""
    written = {row["trial"]: row for row in RAW["trials"].to_pylist()}
    assert found.trials.keys() == written.keys()
    new = KNOBS.keys() - set(RAW["trials"].column_names) - {"stage1_share"}
    for key, row in found.trials.items():
        before = written[key]
        assert set(SCHEMAS["trials"].names) >= row.keys() >= KNOBS.keys()
        assert (row["stage1_share"], row["proposal"]) == (before["split"], renamed(before["proposal"]))
        assert {knob: row[knob] for knob in new} == {knob: DEFAULTS[knob] for knob in new}
        same = row.keys() & before.keys() - {"proposal"}
        defaults = {column: DEFAULTS.get(column) for column in same}
        expected = {column: defaults[column] if before[column] is None else before[column] for column in same}
        assert {column: row[column] for column in same} == expected
        TrainConfig.parse({knob: row[knob] for knob in KNOBS})
    for row in RAW["epochs"].to_pylist():
        assert found.scores[row["trial"]][row["epoch"]] == row["val_macro_recall"]
        assert found.rung_scores[row["trial"]].get(row["epoch"]) == row["val_potential"]
    assert sum(map(len, found.scores.values())) == len(RAW["epochs"])
    assert found.classes.total() == len(RAW["classes"])
    assert [key for key in found.trials if found.unfinished(key)] == [INTERRUPTED]
    assert not [key for key in found.trials if key != INTERRUPTED and found.incomplete(key)]
    assert found.epochs.keys() == {INTERRUPTED, *SUPERSEDED}
    assert found.epochs[INTERRUPTED][1].keys() >= set(SCHEMAS["epochs"].names) - {"val_best_adjusted_recall"}
    assert found.notes == []


def test_every_row_comes_back_with_todays_columns(older):
    check_recovered(recover(Folder(older)))


def test_rows_of_its_journal_come_back_too(older):
    """What a writer that was killed left: rows of a trial that are in no part yet."""
    late = ["decoupled-search-0004", INTERRUPTED]
    entries = [(journal.SEALED, {"epochs": 0, "classes": 0})]
    for name, table in RAW.items():
        in_journal = pa.compute.is_in(table["trial"], pa.array(late))
        entries += [(name, row) for row in table.filter(in_journal).to_pylist()]
        pq.write_table(table.filter(pa.compute.invert(in_journal)), older / name / "part-00000.parquet")
    journal.Journal(Folder(older), entries).close()
    found = recover(Folder(older))
    check_recovered(found)
    assert list(found.trials)[:2] == late


@pytest.mark.parametrize("sealed", [False, True])
def test_its_tables_are_todays_once_it_is_opened(older, sealed):
    for name in ("epochs", "classes") if sealed else ():
        half = len(RAW[name]) // 2
        pq.write_table(RAW[name][:half], older / name / "part-00000.parquet")
        pq.write_table(RAW[name][half:], older / name / "part-00001.parquet")
    results = Results(older, resume=True)
    new = {"trial": "new", "epoch": 1, "val_best_adjusted_recall": 0.5}
    results.write(epochs=[new])
    results.close()
    for name, raw in RAW.items():
        table = pd.read_parquet(older / name)
        assert table.columns.tolist() == SCHEMAS[name].names
        assert len(table) == len(raw) + (name == "epochs")
    epochs = pd.read_parquet(older / "epochs").val_best_adjusted_recall
    expected = [*RAW["epochs"]["val_potential"].to_pylist(), 0.5]
    assert [None if value != value else value for value in epochs] == expected
    trials = pd.read_parquet(older / "trials").set_index("trial").stage1_share
    written = RAW["trials"].to_pandas().set_index("trial").split
    pd.testing.assert_series_equal(trials, written, check_names=False)


def test_a_new_sweep_knows_its_search_trials(older, digits, monkeypatch):
    monkeypatch.chdir(older.parents[1])
    name, module = experiments.find("./version1.py")
    options = {"trials": 8, "epochs": None, "seeds": 2, "seed": 0, "machine": {"threads": 1, "device": "cpu"}}
    plan = make_plan(name, experiments.make(module, digits), digits, settings={}, **options)
    known, notes = known_trials(older, plan, digits.fingerprint)
    assert notes == [
        f"decoupled, searched: 8 search trials are known from {older}",
        f"decoupled or not, searched: 8 search trials are known from {older}",
    ]
    before = [row for row in RAW["trials"].to_pylist() if row["phase"] == "search"]
    before.sort(key=lambda row: row["arm"])
    for row, old in zip(known["trials"], before, strict=True):
        assert (row["proposal"], row["stage1_share"]) == (renamed(old["proposal"]), old["split"])
        assert row["known_from"] == f"{older}: {old['trial']}"
        assert [knob for knob in KNOBS if row[knob] is None and DEFAULTS[knob] is not None] == []
    assert len(known["epochs"]) == sum(old["epochs_done"] for old in before)


@pytest.mark.slow
def test_it_goes_on_with_code_that_has_a_knob_more(older, tmp_path):
    """The very command, on a copy of the code in which TrainConfig has one knob more, its trials included."""
    code, cwd = tmp_path / "code", older.parents[1]
    for package in ("lt_core", "sweeps", "analysis"):
        shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    with open(code / "lt_core" / "config.py", "a") as config:
        config.write("\n\nclass TrainConfig(TrainConfig):\n    novelty: float = 0.25\n")

    def command(module, *arguments):
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": str(code)},
            capture_output=True,
            text=True,
        )

    # Its one epoch was measured on another machine, where the same epoch may come out otherwise.
    measured = RAW["epochs"].filter(pa.compute.not_equal(RAW["epochs"]["trial"], INTERRUPTED))
    pq.write_table(measured, older / "epochs" / "part-00000.parquet")
    process = command("sweeps.run", "./version1.py", "--resume")
    assert process.returncode == 0, process.stdout + process.stderr
    assert "--resume: " not in process.stderr
    rows = pd.read_parquet(older / "trials").set_index("trial")
    assert (rows.novelty == 0.25).all()
    before = RAW["trials"].to_pandas().set_index("trial")
    assert rows.status[before.index].drop(INTERRUPTED).equals(before.status.drop(INTERRUPTED))
    new = {"decoupled-final-0004-02", "either-final-0001-02"}
    assert set(rows.index) - set(before.index) == new
    assert set(rows.status[[INTERRUPTED, *new]]) == {"finished"}
    epochs = pd.read_parquet(older / "epochs")
    assert not epochs.duplicated(["trial", "epoch"]).any()
    assert epochs.groupby("trial").epoch.max()[[INTERRUPTED, *new]].tolist() == [6, 6, 6]
    kept = epochs.iloc[: len(measured)]
    assert kept.val_best_adjusted_recall.equals(measured["val_potential"].to_pandas())
    assert kept.test_macro_recall.equals(measured["test_macro_recall"].to_pandas())
    assert json.loads((older / "sweep.json").read_text())["version"] == VERSION

    warm = ["--warm-start", "results/version1", "--results", "again", "--trials", "8", "--dry-run"]
    process = command("sweeps.run", "./version1.py", "--dataset", "digits", *warm)
    assert process.returncode == 0, process.stdout + process.stderr
    process = command("analysis.report", "results/version1", "--tables-only")
    assert process.returncode == 0, process.stderr
    assert "decoupled, searched         lr 0.0014957, stage1_share 0.77483" in process.stdout
