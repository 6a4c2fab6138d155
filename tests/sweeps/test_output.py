"""Output may fail, the work goes on."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from tests.analysis.builder import write

OWN = """from sweeps.planning import Arm, Experiment

def experiment(data):
    arms = [Arm(name="ce", label="CE [/ours] β $x$"), Arm(name="two", label="*two* :smile:", baseline="ce")]
    return Experiment(base={"n_max": 20, "imbalance_ratio": 2.0, "epochs": 2}, arms=arms, seeds=3)
"""


def shell(line, cwd, **environment):
    command = line.replace("PYTHON", sys.executable)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=240,
    )


@pytest.fixture
def results(tmp_path):
    arms = {"ce": {"label": "CE β"}}
    recalls = {"ce": [[0.9, 0.1]] * 3, **{f"arm{i}": [[0.9, 0.1]] * 3 for i in range(400)}}
    return write(tmp_path / "toy", recalls=recalls, arms=arms)


SLOW = [pytest.param(ending, marks=pytest.mark.slow) for ending in ("| true", ">&-", ">&- 2>&-")]


@pytest.mark.parametrize("ending", ["| head -1", "> /dev/full", *SLOW])
def test_a_list_and_a_report_that_nobody_reads(results, tmp_path, ending):
    for command in ("sweeps.run --list", f"analysis.report {results} --tables-only"):
        done = shell(f"PYTHON -m {command} {ending}", tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_terminal_that_lacks_characters_gets_escapes(results, tmp_path, environment):
    environment = {"PYTHONCOERCECLOCALE": "0"} | environment
    done = shell(f"PYTHON -m analysis.report {results} --tables-only", tmp_path, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"CE \u03b2" in done.stdout


def test_a_report_is_written_though_nobody_reads_it(results, tmp_path):
    small = write(tmp_path / "small")
    assert shell(f"PYTHON -m analysis.report {small} >&-", tmp_path).returncode == 0
    assert (small / "report" / "report.txt").exists()


@pytest.mark.slow
def test_a_sweep_that_nobody_reads_ends_with_all_its_rows(tmp_path, data_dir):
    (tmp_path / "mine.py").write_text(OWN)
    command = f"PYTHON -m sweeps.run ./mine.py --dataset digits --data-dir {data_dir} | head -2"
    done = shell(command, tmp_path, PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    trials = pd.read_parquet(tmp_path / "results" / "mine" / "trials")
    assert trials.status.tolist() == ["finished"] * 6
