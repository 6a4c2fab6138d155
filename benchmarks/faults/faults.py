"""The faults, each a function that does its harm to a running or ended driver and says whether it did."""

import os
import random
import resource
import signal
import subprocess
import time
from pathlib import Path

from sweeps.store import journal
from sweeps.store.location import Folder

Driver = subprocess.Popen
WORKER = (b"ray::Trial", b"ray::ResourceTrainable")  # idle, and in a step


def kill_driver(driver: Driver, folder: Path, rng: random.Random) -> bool:
    """SIGKILL the driver: as it starts, while Parquet is flushed, or at any other time."""
    moment = rng.choices(("starting", "folding", "any"), (0.15, 0.25, 0.6))[0]
    if moment == "starting":
        time.sleep(rng.uniform(0, 6))
    elif not grows(driver, folder):
        return False
    elif moment == "folding":
        _wait(driver, lambda: any(folder.glob("*/.part-*.tmp")), pause=0.0005)
    else:
        time.sleep(rng.uniform(0, 6))
    return _kill(driver)


def kill_worker(driver: Driver, folder: Path, rng: random.Random) -> bool:
    """SIGKILL a trial's process; one trial is hit twice at most, a third time it would have failed."""
    if not grows(driver, folder):
        return False
    time.sleep(rng.uniform(0, 4))
    while driver.poll() is None:
        workers = _workers(driver)
        if workers and max(_attempts(folder), default=0) <= 2:
            try:
                os.kill(rng.choice(workers), signal.SIGKILL)
            except ProcessLookupError:
                return False
            return True
        time.sleep(0.1)
    return False


def fill_disk(driver: Driver, folder: Path, rng: random.Random) -> bool:
    """Let no file of the driver's grow further: what a full disk does to it."""
    if not grows(driver, folder):
        return False
    time.sleep(rng.uniform(0, 5))
    if driver.poll() is not None:
        return False
    size = (folder / "journal").stat().st_size + rng.randrange(2000)
    resource.prlimit(driver.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    return driver.wait() == 2  # 0: nothing was left to write


def truncate(driver: Driver, folder: Path, rng: random.Random) -> bool:
    """SIGKILL the driver and cut the end off a file: the journal, a Parquet part or a checkpoint."""
    if not grows(driver, folder):
        return False
    time.sleep(rng.uniform(0, 6))
    if not _kill(driver):
        return False
    time.sleep(5)  # until its workers are gone
    kind = rng.choice(("journal", "*/part-*.parquet", "checkpoints/*/*.pt"))
    files = sorted(folder.glob(kind)) or [folder / "journal"]
    damaged = rng.choice(files)
    os.truncate(damaged, rng.randrange(damaged.stat().st_size))
    return True


def _kill(driver: Driver) -> bool:
    alive = driver.poll() is None
    driver.kill()
    driver.wait()
    return alive


def grows(driver: Driver, folder: Path) -> bool:
    """Wait until the driver has written a row of its own; False: it ended before."""
    path = folder / "journal"
    _wait(driver, path.exists)
    if not path.exists():
        return False
    size = path.stat().st_size
    return _wait(driver, lambda: not path.exists() or path.stat().st_size > size)


def _wait(driver: Driver, condition, pause: float = 0.05) -> bool:
    while driver.poll() is None:
        if condition():
            return True
        time.sleep(pause)
    return False


def _workers(driver: Driver) -> list[int]:
    """Return the processes of the driver's trials: children of its raylet, which is its child."""
    parents: dict[int, int] = {}
    trials = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if (path / "cmdline").read_bytes().startswith(WORKER):
                trials.append(int(path.name))
        except OSError:  # it has just ended
            continue
    return [pid for pid in trials if parents.get(parents.get(pid, 0)) == driver.pid]


def _attempts(folder: Path) -> list[int]:
    """Return how often each of the running trials was begun."""
    running: dict[str, int] = {}
    for table, row in journal.read(Folder(folder))[0]:
        if table == "trials" and row.get("status") == "running":
            running[row["trial"]] = row["attempts"]
        elif table == "trials":
            running.pop(row["trial"], None)
    return list(running.values())
