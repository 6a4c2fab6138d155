"""1,000 trivial trials with this system, and with Ray Tune as it comes: files, bytes, memory, time.

    python -m benchmarks.overhead.compare --trials 1000 --out overhead.md

Both run the same training core on digits, two trials at once, with TPE and the same ASHA. Memory is the
driver's resident set, sampled as the trials go by; its growth a trial is the slope after the first tenth. The
CPU that the driver takes a trial is that of the second tenth of the trials, and that of the last.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Cost:
    """What a run left on disk and took of the driver."""

    trials: int
    files: int
    bytes: int
    memory: float  # bytes a trial
    seconds: float  # a trial, from the first tenth of the trials to the last trial
    cpu: tuple[float, float]  # seconds of the driver's a trial, in the second tenth and in the last


def main(argv: list[str] | None = None) -> int:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead.compare", description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="search trials of each run")
    parser.add_argument("--out", type=Path, help="file that gets the table")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="overhead-") as work:
        ours, theirs = ours_of(Path(work), options.trials), theirs_of(Path(work), options.trials)
    lines = [
        "| | trials | files | bytes | driver memory a trial | wall time a trial | driver CPU a trial |",
        "|:--|--:|--:|--:|--:|--:|--:|",
    ]
    for name, cost in (("this system", ours), ("Ray Tune, its loggers and OptunaSearch", theirs)):
        lines.append(
            f"| {name} | {cost.trials:,} | {cost.files:,} | {cost.bytes:,} | {cost.memory / 1024:.1f} KiB | "
            f"{cost.seconds:.3f} s | {cost.cpu[0]:.3f} s, at the end {cost.cpu[1]:.3f} s |"
        )
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 0


def ours_of(work: Path, trials: int) -> Cost:
    """Measure sweeps.run."""
    folder = work / "ours" / "trivial"

    def count() -> int:
        parts = list(folder.glob("trials/part-*.parquet"))
        return pq.read_metadata(parts[0]).num_rows if parts else 0

    arguments = ["sweeps.run", HERE / "trivial.py", "--dataset", "digits", "--trials", trials]
    arguments += ["--data-dir", work / "data", "--results", folder.parent]
    return measure(arguments, folder, count, trials)


def theirs_of(work: Path, trials: int) -> Cost:
    """Measure Ray Tune."""
    folder = work / "theirs"

    def count() -> int:
        return sum(path.is_dir() for path in folder.glob("trivial/*"))

    arguments = ["benchmarks.overhead.ray_tune", folder, work / "data", trials]
    return measure(arguments, folder, count, trials)


def measure(arguments: list, folder: Path, count: Callable[[], int], trials: int) -> Cost:
    """Run a module to its end and sample its memory and its trials every second."""
    command = [sys.executable, "-m", *map(str, arguments)]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    samples: list[tuple[float, int, int, float]] = []
    while driver.poll() is None:
        samples.append((time.monotonic(), count(), resident(driver.pid), cpu_seconds(driver.pid)))
        time.sleep(1)
    if driver.returncode != 0:
        raise SystemExit(driver.stderr.read() if driver.stderr else "failed")
    steady = np.array([sample for sample in samples if trials / 10 <= sample[1] < trials])
    early, late = (
        np.array([sample for sample in samples if low <= 10 * sample[1] / trials < high])
        for low, high in ((1, 2), (9, 10))
    )
    files = [path for path in folder.rglob("*") if path.is_file()]
    return Cost(
        trials=count(),
        files=len(files),
        bytes=sum(path.stat().st_size for path in files),
        memory=float(np.polyfit(steady[:, 1], steady[:, 2], 1)[0]),
        seconds=float(np.polyfit(steady[:, 1], steady[:, 0], 1)[0]),
        cpu=(cpu_a_trial(early), cpu_a_trial(late)),
    )


def cpu_a_trial(samples: np.ndarray) -> float:
    """Return the driver's CPU seconds a trial between the first and the last of some samples."""
    return float((samples[-1, 3] - samples[0, 3]) / (samples[-1, 1] - samples[0, 1]))


def resident(pid: int) -> int:
    """Return a process's resident set in bytes; 0 where it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has taken; 0 where it has just ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
