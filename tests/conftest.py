"""Shared fixtures: digits, decoded once, and one small sweep run through its command."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lt_core.data import Dataset, load_dataset
from tests import stores

# The same examples on every machine, however slow it is.
settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("fixed")


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def digits(data_dir) -> Dataset:
    return load_dataset("digits", data_dir)


@pytest.fixture(scope="session")
def s3_port():
    with stores.server() as port:
        yield port


@pytest.fixture
def s3(s3_port, tmp_path):
    """The URI of an empty prefix; the environment is set for it."""
    import fsspec

    with stores.environment(s3_port, tmp_path / "cache"):
        fsspec.get_filesystem_class("s3").clear_instance_cache()  # they keep the endpoint
        yield f"s3://{stores.BUCKET}/{tmp_path.name}"


def command(module: str, *arguments: str | Path, cwd: Path, timeout: int = 240):
    """Run ``python -m module`` as a user would, from ``cwd``."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.fixture(scope="session")
def sweep(tmp_path_factory, data_dir):
    """The real command on digits at a tiny budget; every test of what it leaves behind shares it."""
    cwd = tmp_path_factory.mktemp("sweep")
    options = ["--dataset", "digits", "--data-dir", data_dir, "--trials", 5, "--seeds", 3, "--epochs", 5]
    process = command("sweeps.run", "cb_focal", *options, cwd=cwd)
    assert process.returncode == 0, process.stdout + process.stderr
    process.folder = cwd / "results" / "cb_focal"
    return process
