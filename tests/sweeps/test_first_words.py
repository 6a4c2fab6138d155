"""Something is said before anything slow is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("experiment", ["tta", "./mine.py"])
def test_what_is_read_is_said_before_torch_is_imported(experiment, tmp_path):
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "torch.py").write_text("import sys; sys.exit('torch is imported')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-m", "sweeps.run", experiment, "--dataset", "digits", "--dry-run"]
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout == f"{Path(experiment).stem}: reading digits\n"
    assert "torch is imported" in done.stderr


def test_nothing_is_said_before_a_wrong_option(tmp_path):
    command = [sys.executable, "-m", "sweeps.run", "tta", "--trials", "none"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
