"""Whole sweeps whose results are in an object store, by the command."""

import contextlib
import re
import signal
import subprocess
import sys
import time

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweeps.store.folder import Folder
from sweeps.store.journal import read
from tests import stores
from tests.conftest import command

KEYS = {"trials": ["trial"], "epochs": ["trial", "epoch"], "classes": ["trial", "class"]}
OF_THE_RUN = {"seconds", "started", "attempts", "train_seconds", "eval_seconds"}
EXPERIMENT = """
from sweeps.planning import SPACES, Arm, Experiment

def experiment(data):
    return Experiment(
        base={"imbalance_ratio": 10.0, "epochs": EPOCHS},
        arms=[
            Arm(name="fixed", label="fixed"),
            Arm(name="found", label="found", search={"lr": SPACES["lr"]}, baseline="fixed"),
        ],
        trials=2,
        seeds=2,
    )
"""


@pytest.fixture
def sweep(tmp_path, data_dir):
    """Run the command on a tiny experiment; ``epochs`` make it long enough to be harmed."""

    def run(*arguments, epochs=6, start=False):
        (tmp_path / "mine.py").write_text(EXPERIMENT.replace("EPOCHS", str(epochs)))
        options = ["--dataset", "digits", "--data-dir", str(data_dir), "--max-concurrent", "1"]
        arguments = ["./mine.py", *([] if "--resume" in arguments else options), *map(str, arguments)]
        if not start:
            return command("sweeps.run", *arguments, cwd=tmp_path)
        return subprocess.Popen(
            [sys.executable, "-m", "sweeps.run", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=open(tmp_path / "stderr", "w"),
            text=True,
        )

    return run


def rows(place, table, of_the_run=frozenset()):
    """The rows of a table, which are there once; of what differs from run to run, only ``of_the_run``."""
    fs, root = fsspec.core.url_to_fs(str(place), use_listings_cache=False)
    parts = [pq.read_table(pa.BufferReader(fs.cat_file(name))) for name in fs.glob(f"{root}/{table}/part-*")]
    found = {}
    for row in pa.concat_tables(parts, promote_options="default").to_pylist():
        key = tuple(row[column] for column in KEYS[table])
        assert key not in found
        found[key] = {name: value for name, value in row.items() if name not in OF_THE_RUN - of_the_run}
    return found


def same(one, other):
    for table in KEYS:
        assert repr(rows(one, table)) == repr(dict.fromkeys(rows(one, table)) | rows(other, table))


def table_of(out):
    return out[out.index("Test macro recall") :].partition("full report")[0]


def until(condition, process):
    """Wait until something is so, while the sweep runs."""
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def epochs_in(uri):
    with contextlib.suppress(OSError, ValueError):
        return len(rows(uri, "epochs"))
    return 0


@pytest.fixture
def local(sweep, tmp_path):
    """The same sweep undisturbed, in a folder, with so many epochs."""

    def run(epochs):
        process = sweep("--results", tmp_path / "local", epochs=epochs)
        assert process.returncode == 0, process.stderr
        return tmp_path / "local" / "mine", process.stdout

    return run


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_sweep_in_a_store_is_the_one_in_a_folder(sweep, local, s3, tmp_path):
    folder, out = local(6)
    process = sweep("--results", s3)
    assert (process.returncode, process.stderr) == (0, "")
    assert f"results: {s3}/mine\n" in process.stdout
    assert "on this machine's disk alone" in process.stdout
    assert table_of(process.stdout) == table_of(out)
    same(f"{s3}/mine", folder)

    report = command("analysis.report", f"{s3}/mine", cwd=tmp_path)
    assert "(png, svg) are in report-mine" in report.stdout
    written = {path.name for path in (tmp_path / "report-mine").iterdir()}
    of_folder = command("analysis.report", folder, cwd=tmp_path)
    assert written == {path.name for path in (folder / "report").iterdir()}
    assert (
        table_of(report.stdout).partition("\ntables (")[0]
        == table_of(of_folder.stdout).partition("\ntables (")[0]
    )
    hint = command("analysis.report", s3, cwd=tmp_path)
    assert hint.stderr.endswith(f"there are sweeps in {s3}: mine\n")

    again = sweep("--results", s3, "--dry-run")
    assert again.stderr.startswith(f"error: {s3}/mine already holds results: go on with --resume")
    resumed = sweep("--results", s3, "--resume", "--dry-run")
    assert re.search(r"so far: .*finished", resumed.stdout)
    warm = sweep("--results", f"{s3}/warm", "--warm-start", f"{s3}/mine")
    assert (warm.returncode, warm.stderr) == (0, "")
    known = [row["known_from"] for row in rows(f"{s3}/warm/mine", "trials").values()]
    assert sum(bool(one and one.startswith(f"{s3}/mine: ")) for one in known) == 2


def journal_times(journal):
    """How long each epoch in a journal took: whoever measures it again finds another time."""
    entries, _ = read(Folder(journal.parent))
    return {(row["trial"], row["epoch"]): row["train_seconds"] for name, row in entries if name == "epochs"}


def harmed(sweep, uri, epochs):
    """Begin a sweep, and kill it in its midst."""
    process = sweep("--results", uri, epochs=epochs, start=True)
    until(lambda: epochs_in(f"{uri}/mine") > 5, process)
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_sweep_that_is_killed_and_whose_store_is_away_for_half_a_minute_loses_nothing(
    sweep, local, s3_port, tmp_path
):
    wire = stores.Wire(s3_port)
    uri = f"s3://{stores.BUCKET}/{tmp_path.name}"
    with stores.environment(wire.port, tmp_path / "cache"):
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        harmed(sweep, uri, epochs=30)
        (journal,) = (tmp_path / "cache").glob("longtail-sweeps/*/*/journal")
        before = journal_times(journal)
        there = epochs_in(f"{uri}/mine")
        process = sweep("--results", uri, "--resume", epochs=30, start=True)
        until(lambda: epochs_in(f"{uri}/mine") > there + 10, process)
        wire.cut()
        time.sleep(30)
        until((tmp_path / "stderr").read_text, process)
        wire.mend()
        out, _ = process.communicate()
        err = (tmp_path / "stderr").read_text()
        assert process.returncode == 0, out + err
        assert err.startswith(f"note: {uri}/mine is away")
        assert err.count("note: ") == 1
        kept = {key: row["train_seconds"] for key, row in rows(f"{uri}/mine", "epochs", OF_THE_RUN).items()}
        assert before
        assert before.items() <= kept.items()  # read from the journal, not measured again
        same(f"{uri}/mine", local(30)[0])
        wire.cut()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_killed_sweep_goes_on_on_another_machine(sweep, local, s3, tmp_path, monkeypatch):
    harmed(sweep, s3, epochs=30)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    process = sweep("--results", s3, "--resume", epochs=30)
    assert process.returncode == 0, process.stderr
    assert "waiting up to 60 s" in process.stderr
    same(f"{s3}/mine", local(30)[0])


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_of_two_sweeps_in_one_place_the_second_is_refused(sweep, s3):
    first = sweep("--results", s3, epochs=200, start=True)
    until(lambda: epochs_in(f"{s3}/mine") > 0, first)
    second = sweep("--results", s3, "--resume", epochs=200)
    assert second.returncode == 2
    assert f"error: {s3}/mine is in use by process {first.pid} on " in second.stderr
    first.send_signal(signal.SIGTERM)
    out, _ = first.communicate()
    assert first.returncode == 143
    assert f"--resume --results {s3}" in out
