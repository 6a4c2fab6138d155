"""What needs no sweep waits for no library: --list, --help and wrong options load none of the heavy ones."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps import experiments
from sweeps.store.location import Folder

HEAVY = {
    *("torch", "torchvision", "ray", "optuna", "numpy", "scipy", "pandas", "pyarrow", "pydantic"),
    *("sklearn", "matplotlib", "joblib", "rich"),
}
HEAVIER = {"torch", "torchvision", "ray", "optuna", "pandas", "scipy", "matplotlib"}  # than a record's reader


def imported(*arguments, cwd):
    """The process of the command, and the top-level names of every module that it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "sweeps.run", *arguments]
    process = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    names = re.findall(r"^import time:.*\| +(\S+)$", process.stderr, re.MULTILINE)
    assert "sweeps.terminal.options" in names
    return process, {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (["--list"], 0, "cb_focal "),
        (["--help"], 0, "--dry-run "),
        ([], 2, "error: which experiment? --list shows them\n"),
        (["cb_focl"], 2, "error: unknown experiment 'cb_focl' (did you mean 'cb_focal'?)"),
        (["./none.py"], 2, "error: experiment file none.py does not exist\n"),
        (["cb_focal", "--trails", "8"], 2, "error: unrecognized arguments: --trails 8"),
        (["cb_focal", "--time-budget", "8"], 2, "error: argument --time-budget: write 90s, 30m or 8h"),
        (["cb_focal", "--set", "lr"], 2, "error: --set lr: write knob=value\n"),
    ],
)
def test_no_heavy_library_is_loaded(arguments, code, shown, tmp_path):
    process, modules = imported(*arguments, cwd=tmp_path)
    assert process.returncode == code
    assert shown in (process.stderr if code else process.stdout)
    assert modules & HEAVY == set()


def test_a_record_is_read_without_what_would_run_it(tmp_path):
    """As analysis does."""
    process, modules = imported("cb_focal", "--resume", cwd=tmp_path)
    assert process.returncode == 2
    line = "error: results/cb_focal holds no sweep: No such file or directory (sweep.json)"
    assert f"{line}; begin it without --resume\n" in process.stderr
    assert modules & HEAVIER == set()


HELD = "results/cb_focal already holds results"
OTHER = f"{HELD} on other data, digits: give another --results\n"
SAME = f"{HELD}: go on with --resume, give another --results, or move it away\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], SAME),
        (["--dataset", "digits", "--dry-run"], SAME),
        (["--dataset", "cifar10"], OTHER),
        (["--dataset", "folder:pets", "--dry-run"], OTHER),
    ],
)
def test_results_that_are_there_are_told_at_once(arguments, line, tmp_path):
    folder = tmp_path / "results" / "cb_focal"
    shutil.copytree(Path(__file__).parent.parent / "data" / "version1", folder)
    process, modules = imported("cb_focal", *arguments, cwd=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert f"error: {line}" in process.stderr
    assert modules & HEAVIER == set()


def test_a_sweep_that_runs_there_is_told_at_once(tmp_path):
    place = Folder(tmp_path / "results" / "cb_focal")
    held = place.lock()
    place.write("sweep.json", b"{}")
    process, _ = imported("cb_focal", "--dry-run", cwd=tmp_path)
    held.close()
    assert f"error: results/cb_focal is in use by process {os.getpid()} on " in process.stderr


def test_a_plan_is_seen_to_load_them(tmp_path, data_dir):
    """The check above can see them."""
    options = ["--dataset", "digits", "--data-dir", str(data_dir), "--set", "bata=0.9", "--dry-run"]
    process, modules = imported("cb_focal", *options, cwd=tmp_path)
    assert process.returncode == 2
    assert {"torch", "optuna", "numpy", "pydantic"} <= modules


def test_a_trial_that_needs_no_torchvision_loads_none(tmp_path, data_dir):
    """A worker's start is part of every sweep."""
    program = (
        "import sys, sweeps.engine.trainable\n"
        "from lt_core.config import TrainConfig\n"
        "from lt_core.data import load_dataset\n"
        "from lt_core.train import train\n"
        "config = TrainConfig(epochs=1, imbalance_ratio=10, augment='crop')\n"
        "(epoch,) = train(config, load_dataset('digits', sys.argv[1]))\n"
        "print(epoch.epoch, *sorted({'torch', 'torchvision', 'optuna'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program, str(data_dir)]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert process.stdout == "1 torch\n", process.stderr


def test_what_is_listed_is_what_the_files_say_of_themselves():
    known = experiments.known()
    assert {"cb_focal", "joint", "ladder"} <= known.keys()
    for name, line in known.items():
        _, module = experiments.find(name)
        assert line
        assert line == experiments.summary(module)
