"""Real faults in real sweeps: a short form of the campaign, signals, a warm start, open ports."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.faults import campaign
from sweeps.store import journal
from sweeps.store.location import Folder
from tests.conftest import command

pytestmark = pytest.mark.slow
RESUME = ["cb_focal", "--resume"]
MARK = "SWEEP_STARTED_BY_THE_TEST_OF"
SMALL = ["--dataset", "digits", "--trials", "5", "--seeds", "3", "--epochs", "5"]


def test_harmed_sweeps_end_as_undisturbed_ones(tmp_path):
    header, _, *lines = list(campaign.campaign(tmp_path, campaign.SHORT, seed=1))
    names = [name.strip() for name in header.split("|")]
    assert len(lines) == len(campaign.SHORT)
    for line, (_, _, faults) in zip(lines, campaign.SHORT, strict=True):
        cells = dict(zip(names, (cell.strip() for cell in line.split("|")), strict=True))
        assert cells["faults"] == str(faults)
        assert cells["rows expected"] == cells["rows found"] != "0"
        assert [cells[name] for name in ("missing", "duplicates", "differing", "no end")] == ["0"] * 4
        assert "none lost" in line


def test_the_campaign_would_see_a_loss(sweep):
    """Its comparison must be able to fail: one row gone, one value changed, beside one twice."""
    expected = campaign.read(sweep.folder)
    epochs = expected["epochs"]
    harmed = pd.concat([epochs.iloc[1:], epochs.iloc[-1:]])
    harmed.iloc[0, harmed.columns.get_loc("train_loss")] += 1e-12
    count = campaign.Count()
    campaign.compare(expected, expected | {"epochs": harmed}, count)
    assert (count.missing, count.differing) == (1, 1)
    same = campaign.Count()
    campaign.compare(expected, campaign.read(sweep.folder), same)
    assert (same.missing, same.differing) == (0, 0)


def test_a_sweep_that_is_ended_in_every_way_goes_on_to_the_end_of_an_undisturbed_one(
    tmp_path, data_dir, sweep
):
    """Signals to a group of its own, as a terminal has it; a kill of the driver; a spent budget."""
    folder = tmp_path / "results" / "cb_focal"
    begin = ["cb_focal", *SMALL, "--data-dir", str(data_dir), "--max-concurrent", "1"]
    for name, code in (("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)):
        returncode, output = ended_by(name, begin if name == "SIGINT" else RESUME, tmp_path, folder)
        assert returncode == code
        assert f"ended early: {name}; go on with\n\n    python -m sweeps.run cb_focal --resume\n" in output
        assert "Traceback" not in output
        assert marked(name) == []
        assert not (folder / "journal").exists()  # all is in Parquet
        assert "running" not in set(pd.read_parquet(folder / "trials").status)

    returncode, _ = ended_by("SIGKILL", RESUME, tmp_path, folder)
    assert returncode == -signal.SIGKILL
    trials, epochs = (pd.read_parquet(folder / table) for table in ("trials", "epochs"))
    assert set(epochs.trial) <= set(trials.trial)
    assert not epochs.duplicated(["trial", "epoch"]).any()
    entries, _ = journal.read(Folder(folder))
    reported = {(row["trial"], row["epoch"]) for table, row in entries if table == "epochs"}
    assert set(zip(epochs.trial, epochs.epoch, strict=True)) <= reported

    spent = command("sweeps.run", *RESUME, "--time-budget", "1s", cwd=tmp_path)
    assert spent.returncode == 0, spent.stderr
    assert "ended early: time budget spent" in spent.stdout
    assert "running" not in set(pd.read_parquet(folder / "trials").status)

    resumed = command(
        "sweeps.run", *RESUME, "--max-concurrent", "2", cwd=tmp_path
    )  # the budget was that call's
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert re.search(r"note: goes on: \d+ of 72 done", resumed.stdout)
    found, alone = (campaign.read(f)["epochs"] for f in (folder, sweep.folder))
    fixed = [key for key in alone.index.get_level_values("trial").unique() if "searched" not in key]
    assert len(fixed) == 30
    pd.testing.assert_frame_equal(found.loc[fixed], alone.loc[fixed], check_exact=True)


def ended_by(name: str, arguments: list[str], cwd: Path, folder: Path) -> tuple[int, str]:
    """Run the command until it has written an epoch of its own, send the signal, return code and output."""
    before = epochs_in(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeps.run", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=default_signals,  # nohup and background jobs pass on that they are ignored
        env=os.environ | {MARK: name},
    )
    deadline = time.monotonic() + 120
    while epochs_in(folder) == before:
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.2)
    os.killpg(process.pid, getattr(signal, name))
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def epochs_in(folder: Path) -> int:
    """The number of rows of the epochs table."""
    return len(pd.read_parquet(folder / "epochs")) if (folder / "sweep.json").exists() else 0


def default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def marked(value: str) -> list[str]:
    """The command lines of the processes that inherited the mark."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={value}".encode() in environ.read_bytes():
                found.append((environ.parent / "cmdline").read_text())
        except OSError:  # it has just ended
            continue
    return found


def test_a_warm_start_knows_the_other_sweeps_trials(sweep, tmp_path, data_dir):
    options = [*SMALL, "--data-dir", data_dir, "--warm-start", sweep.folder, "--time-budget", "1s"]
    process = command("sweeps.run", "cb_focal", *options, cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert f"CE, searched: 5 search trials are known from {sweep.folder}" in process.stdout
    old, new = (pd.read_parquet(f / "trials") for f in (sweep.folder, tmp_path / "results" / "cb_focal"))
    old, new = (rows[rows.phase == "search"].set_index("trial") for rows in (old, new))
    assert len(new) == 15
    same = ["status", "reason", "epochs_done", "proposal", "lr", "beta", "gamma", "batch_size"]
    pd.testing.assert_frame_equal(old.sort_index()[same], new.sort_index()[same])
    assert set(new.known_from) == {f"{sweep.folder}: {key}" for key in old.index}


def test_a_local_ray_listens_on_loopback_alone():
    code = """
import ray
from sweeps.engine.connection import connected
with connected(None):
    ray.get(ray.remote(lambda: 1).remote())
    print(open("/proc/net/tcp").read(), open("/proc/net/tcp6").read(), sep="")
"""
    before = listening(Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text())
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    opened = listening(process.stdout) - before
    assert len(opened) >= 3  # GCS, raylet, workers
    loopback = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
    assert {address.partition(":")[0] for address in opened} <= set(loopback)


def listening(table: str) -> set[str]:
    """Local addresses of the listening sockets in a /proc/net/tcp."""
    rows = [line.split() for line in table.splitlines() if ":" in line]
    return {row[1] for row in rows if row[3] == "0A"}
