"""The driver of a sweep: the command that is harmed, and started again."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """An experiment at a concurrency; ``equal``: its rows are those of an undisturbed sweep."""

    label: str
    experiment: str
    concurrent: int
    equal: bool = True


@contextmanager
def start(folder: Path, case: Case, address: str | None = None) -> Iterator[subprocess.Popen]:
    """Start the sweep, or go on with it; its output goes to a file beside its results."""
    with started([sys.executable, *command(folder, case, address)[1:]], folder) as driver:
        yield driver


def command(folder: Path, case: Case, address: str | None = None) -> list[str]:
    """Return the command that starts a sweep, or goes on with the one that the folder holds."""
    options: list[Any] = ["--results", folder.parent]
    if (folder / "sweep.json").exists():
        options += ["--resume"]
    else:
        options += ["--dataset", "digits", "--data-dir", folder.parents[1] / "data"]
        options += ["--max-concurrent", case.concurrent, "--checkpoint-every", "0.2s"]
    options += ["--address", address] if address else []
    line = ["python", "-m", "sweeps.run", HERE / f"{case.experiment}.py", *options]
    return [str(part) for part in line]


@contextmanager
def started(line: list[str], folder: Path) -> Iterator[subprocess.Popen]:
    """Start a command; its output goes to a file beside the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "log", "a") as log:
        driver = subprocess.Popen(line, stdout=log, stderr=log)
        try:
            yield driver
        finally:
            driver.kill()
            driver.wait()
