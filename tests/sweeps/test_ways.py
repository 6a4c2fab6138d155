"""The ways to start the command, and to say which Ray cluster it runs on."""

import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from lt_core.errors import InputError
from sweeps import run
from sweeps.terminal.options import address

SCRIPT = Path(run.__file__)


@pytest.mark.parametrize("alone", [False, True], ids=["by its path", "copied alone"])
def test_the_script_is_the_command(alone, tmp_path, data_dir):
    """`ray submit` copies it to the home folder, where nothing is beside it."""
    script = Path(shutil.copy(SCRIPT, tmp_path / "run.py")) if alone else SCRIPT
    options = ["tta", "--dataset", "digits", "--data-dir", data_dir, "--dry-run"]
    line = [sys.executable, script, *options]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "tta, preset digits: 4 arms on digits, 10 classes" in done.stdout


@pytest.mark.parametrize(
    ("option", "variable", "found"),
    [
        (None, None, None),
        (None, "", None),
        (None, "10.0.0.1:6379", "10.0.0.1:6379"),
        ("auto", "10.0.0.1:6379", "auto"),
        ("local", "10.0.0.1:6379", None),
        ("10.0.0.2:6379", None, "10.0.0.2:6379"),
    ],
)
def test_which_cluster(option, variable, found, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if variable is not None:
        monkeypatch.setenv("RAY_ADDRESS", variable)
    assert address(Namespace(address=option)) == found


def test_the_address_of_a_dashboard_is_said_to_be_one(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    message = "RAY_ADDRESS http://127.0.0.1:8265 is the address of a client or a dashboard: run it on the cl"
    with pytest.raises(InputError, match=message):
        address(Namespace(address=None))
