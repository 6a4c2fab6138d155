"""Thousands of short trials on many raylets of this machine: what a trial costs the driver, and where.

    python -m benchmarks.scale.measure --trials 5000 --raylets 8 --out scale.md

A raylet lends one core that it may not have: what counts is the driver's own CPU time and memory, by tenths
of the trials, and a profile of it in the last third (py-spy, extra `cluster`).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from ray.cluster_utils import Cluster

from benchmarks.overhead.compare import cpu_seconds, resident

HERE = Path(__file__).parent
PROFILE_SECONDS = 30
PARTS = (  # of a stack, from its tip: the first that is in a file's path says whose it is
    ("optuna", "Optuna: TPE"),
    ("sweeps/store", "journal and Parquet"),
    ("sweeps/terminal", "progress"),
    ("sweeps/search", "sequence and rungs"),
    ("sweeps/", "recorder and the rest of ours"),
    ("ray/tune", "Ray Tune"),
    ("ray/", "Ray"),
)


def main(argv: list[str] | None = None) -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.measure", description=__doc__)
    parser.add_argument("--trials", type=int, default=5000, help="search trials")
    parser.add_argument("--epochs", type=int, default=1, help="of a trial")
    parser.add_argument("--raylets", type=int, default=8, help="of one core each")
    parser.add_argument("--out", type=Path, help="file that gets the tables")
    options = parser.parse_args(argv)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(options.raylets):
            cluster.add_node(num_cpus=1)
        with tempfile.TemporaryDirectory(prefix="scale-") as work:
            lines = measured(Path(work), cluster.address, options.trials, options.epochs)
    finally:
        cluster.shutdown()
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 0


def measured(work: Path, address: str, trials: int, epochs: int) -> list[str]:
    """Run the sweep and return the tables."""
    folder, profile = work / "results" / "short", work / "profile"
    line = [sys.executable, "-m", "sweeps.run", HERE / "short.py", "--dataset", "digits", "--trials", trials]
    line += [
        "--epochs",
        epochs,
        "--address",
        address,
        "--data-dir",
        work / "data",
        "--results",
        folder.parent,
    ]
    driver = subprocess.Popen(list(map(str, line)), stdout=subprocess.DEVNULL)
    samples, profiler = [], None
    while driver.poll() is None:
        done = rows(folder)
        samples.append((done, time.monotonic(), cpu_seconds(driver.pid), resident(driver.pid)))
        if done > 2 * trials / 3 and profiler is None:
            spy = [
                Path(sys.executable).with_name("py-spy"),
                "record",
                "--pid",
                driver.pid,
                "--duration",
                PROFILE_SECONDS,
                "--format",
                "raw",
            ]
            profiler = subprocess.Popen(list(map(str, [*spy, "--nonblocking", "--output", profile])))
        time.sleep(1)
    if driver.returncode != 0 or profiler is None:
        raise SystemExit(f"the sweep ended with {driver.returncode}")
    profiler.wait()
    tenths = by_tenths(samples, trials)
    return [*table(tenths), "", *profile_table(profile.read_text())]


def rows(folder: Path) -> int:
    """Return how many trials are on record."""
    return sum(pq.read_metadata(part).num_rows for part in folder.glob("trials/part-*.parquet"))


def by_tenths(samples: list[tuple], trials: int) -> list[tuple[int, float, float, float]]:
    """Return trials, CPU seconds a trial, trials a second, resident MB: of the 2nd, 5th and last tenth."""
    found = []
    for tenth in (2, 5, 10):
        inside = [s for s in samples if (tenth - 1) * trials / 10 <= s[0] <= tenth * trials / 10]
        first, last = inside[0], inside[-1]
        n = last[0] - first[0]
        found.append((last[0], (last[2] - first[2]) / n, n / (last[1] - first[1]), last[3] / 1e6))
    return found


def table(tenths: list[tuple[int, float, float, float]]) -> list[str]:
    """Return the costs as Markdown."""
    lines = ["| after trials | driver CPU a trial | trials a second | driver memory |", "|--:|--:|--:|--:|"]
    return lines + [
        f"| {n:,} | {cpu * 1e3:.0f} ms | {rate:.1f} | {mb:,.0f} MB |" for n, cpu, rate, mb in tenths
    ]


def profile_table(raw: str) -> list[str]:
    """Return whose the driver's time is; ``raw``: a line a stack, frames by ; and the number of samples."""
    shares: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, n = line.rpartition(" ")
        shares[whose(stack)] += int(n)
    total = shares.total()
    lines = ["| the driver at work, in the last third | share |", "|:--|--:|"]
    return lines + [f"| {name} | {n / total:.0%} |" for name, n in shares.most_common()]


def whose(stack: str) -> str:
    """Return the part that a stack belongs to."""
    for frame in reversed(stack.split(";")):
        for path, name in PARTS:
            if path in frame:
                return name
    return "Python and its libraries"


if __name__ == "__main__":
    sys.exit(main())
