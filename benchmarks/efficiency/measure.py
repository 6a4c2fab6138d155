"""Sweeps beside the bare training of the same trials, and beside a script with Ray Tune.

    python -m benchmarks.efficiency.measure [--parquet DIR] [--rounds 3] [--out efficiency.md]

Wall time of whole commands, two trials at once on one thread each, in turns. *The same trials in a pool*
trains every trial of the sweep again, for as many epochs as it had, in two bare processes that keep nothing.
*Script* is benchmarks/efficiency/script.py: as many search trials, as many final runs, a table. With
``--parquet``, a folder of CIFAR-10's images, also once with 100 trials that take ten seconds and more.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
LONG = ["--set", "n_max=1000", "--epochs", "12"]  # a ConvNet's trial of ten seconds and more


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.efficiency.measure", description=__doc__)
    parser.add_argument("--parquet", help="folder of CIFAR-10 as Parquet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="file that gets the table")
    options = parser.parse_args(argv)
    lines = ["| | sweep, s | peer, s | ratio (range) |", "|:--|--:|--:|--:|"]
    with tempfile.TemporaryDirectory(prefix="efficiency-") as work:
        folder, data_dir = Path(work), str(Path(work) / "data")
        sweep("searched.py", folder / "warm", "digits", data_dir, ["--trials", "2", "--seeds", "1"])
        pools, scripts = [], []
        for number in range(options.rounds):
            results = folder / str(number)
            ours = sweep("searched.py", results, "digits", data_dir)
            pools.append((ours, pool(results / "searched", "digits", data_dir)))
            scripts.append((ours, seconds("benchmarks.efficiency.script", results / "tune", data_dir)))
        lines.append(row("digits, the same trials in a pool", pools))
        lines.append(row("digits, time to table, script", scripts))
        if options.parquet:
            dataset = f"parquet:{options.parquet}"
            ours = sweep("seeds.py", folder / "long", dataset, data_dir, LONG)
            long = [(ours, pool(folder / "long" / "seeds", dataset, data_dir))]
            lines.append(row("CIFAR-10, JPEG, 100 runs, the same in a pool", long))
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 0


def sweep(name: str, results: Path, dataset: str, data_dir: str, arguments: list[str] | None = None) -> float:
    """Time a sweep of an experiment of this folder."""
    asked = ["--dataset", dataset, "--data-dir", data_dir, "--results", results, *(arguments or [])]
    return seconds("sweeps.run", HERE / name, *asked)


def pool(results: Path, dataset: str, data_dir: str) -> float:
    """Time the trials of a sweep in a bare pool."""
    return seconds("benchmarks.efficiency.pool", results, dataset, data_dir)


def seconds(module: str, *arguments: object) -> float:
    """Run a module to its end; return the wall time."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{module}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - started


def row(label: str, pairs: list[tuple[float, float]]) -> str:
    """Return a row: medians of both, and of peer over sweep with its range."""
    ours, peers = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = [peer / own for own, peer in pairs]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    return f"| {label} | {ours:.0f} | {peers:.0f} | {spread} |"


if __name__ == "__main__":
    sys.exit(main())
