"""Ray starts wherever a user is, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import ray

from lt_core.errors import InputError
from sweeps.engine import connection
from sweeps.engine.connection import connected

CODE = """
import ray, sys
from sweeps.engine.connection import connected
with connected(None):
    print(ray.cluster_resources()["CPU"] >= 1, len(ray.get(ray.put(b"x" * 10**6))))
"""


def start(**environment):
    return subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_ray_starts_without_a_home_and_with_a_long_temporary_folder(tmp_path):
    long = tmp_path / ("x" * 80)
    long.mkdir()
    (long / "ray").write_text("somebody else's")
    home = tmp_path / "home"
    home.mkdir()
    done = start(TMPDIR=str(long), HOME=str(home), RAY_ADDRESS="127.0.0.1:1")
    assert (done.stdout, done.returncode) == ("True 1000000\n", 0), done.stderr
    assert list(home.iterdir()) == []  # no token is left behind
    assert [path.name for path in long.iterdir()] == ["ray"]


def test_its_folder_is_short_private_and_named_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(connection.tempfile, "gettempdir", lambda: str(tmp_path / ("x" * 80)))
    folder = Path(connection._own_folder())
    assert len(str(folder)) <= connection.LONGEST_FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    monkeypatch.setattr(connection, "SHORT_FOLDERS", ("/nowhere",))
    with pytest.raises(InputError, match=r"and none of .*, /nowhere is one: set TMPDIR"):
        connection._own_folder()


def test_a_ray_that_runs_already_is_said(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    with pytest.raises(InputError, match="Ray runs in this process already"), connected(None):
        pass
