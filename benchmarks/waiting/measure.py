"""Five sweeps as a user sees them: the first word, the time told against the time taken, budgets kept.

    python -m benchmarks.waiting.measure --parquet ../cifar10-jpeg --out waiting.md

Each begins with an empty data folder, so what it decodes is waited for as well. The time told stands in the
plan, and is compared with what passes from the plan's last line to the end of the command. ``--parquet`` is a
folder of Parquet files with images; without it there are four sweeps.
"""

import argparse
import fcntl
import os
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.overhead import trivial

UNITS = {"s": 1, "min": 60, "h": 3600}
BUDGETS = (30, 60)  # seconds


@dataclass(frozen=True)
class Case:
    """A command, and the columns of its terminal; 0: it is piped."""

    label: str
    columns: int
    arguments: list[str]


@dataclass(frozen=True)
class Seen:
    """Seconds since the command began, but ``told``, which is what the plan says."""

    first_word: float
    plan: float
    told: float
    end: float


def main(argv: list[str] | None = None) -> int:
    """Run the sweeps one after the other and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting.measure", description=__doc__)
    parser.add_argument("--parquet", type=Path, help="folder of Parquet files with images")
    parser.add_argument("--out", type=Path, help="file that gets the tables")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="waiting-") as work:
        lines = []
        for line in table(Path(work), options.parquet):
            print(line, flush=True)
            lines.append(line)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 0


def table(work: Path, parquet: Path | None) -> Iterator[str]:
    """Yield the lines of both tables as the sweeps end."""
    yield "| sweep | seen in | first word | plan after | told | taken | taken / told |"
    yield "|:--|:--|--:|--:|--:|--:|--:|"
    sweeps = cases(work, parquet)
    for number, case in enumerate(sweeps):
        seen = watched(case, work / str(number))
        taken = seen.end - seen.plan
        yield (
            f"| {case.label} | {f'{case.columns} columns' if case.columns else 'a pipe'} | "
            f"{seen.first_word:.2f} s | {seen.plan:.0f} s | {seen.told:.0f} s | {taken:.0f} s | "
            f"{taken / seen.told:.2f} |"
        )
    yield ""
    yield "| sweep | `--time-budget` | whole command |"
    yield "|:--|--:|--:|"
    for budget in BUDGETS:
        case = Case(sweeps[0].label, 0, [*sweeps[0].arguments, "--time-budget", f"{budget}s"])
        yield f"| {case.label} | {budget} s | {watched(case, work / f'budget{budget}').end:.0f} s |"


def cases(work: Path, parquet: Path | None) -> list[Case]:
    """Return the sweeps."""
    digits = ["--dataset", "digits"]
    found = [
        Case("`cb_focal`, digits", 0, ["cb_focal", *digits, "--trials", "12", "--seeds", "5"]),
        Case("`tta`, digits", 80, ["tta", *digits]),
        Case("`mixup`, a folder of images", 120, ["mixup", "--dataset", f"folder:{tree(work / 'images')}"]),
        Case("an own file with a search, digits", 80, [trivial.__file__, *digits, "--trials", "100"]),
    ]
    found[2].arguments.extend(["--epochs", "4", "--seeds", "2"])
    if parquet:
        small = ["--set", "n_max=500", "--epochs", "10", "--seeds", "2"]
        arguments = ["decoupling", "--dataset", f"parquet:{parquet.resolve()}", *small, "--trials", "4"]
        found.append(Case("`decoupling`, Parquet", 80, arguments))
    return found


def tree(folder: Path) -> Path:
    """Write digits as PNG files of 64 × 64 pixels, three in four of them for training."""
    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = folder / ("test" if number % 4 == 0 else "train") / f"digit {label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 15).astype("uint8")).resize((64, 64)).save(place / f"{number}.png")
    return folder


def watched(case: Case, work: Path) -> Seen:
    """Run a sweep's command and watch what it says."""
    command = [sys.executable, "-m", "sweeps.run", *case.arguments]
    command += ["--data-dir", str(work / "data"), "--results", str(work / "results")]
    reading, writing = os.openpty() if case.columns else os.pipe()
    if case.columns:
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 24, case.columns, 0, 0))
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=writing, stderr=subprocess.STDOUT)
    os.close(writing)
    output, first_word, plan = b"", 0.0, 0.0
    while part := _read(reading):
        now = time.monotonic() - began
        first_word = first_word or now
        output += part
        plan = plan or (now if b"by timed steps" in output else 0.0)
    os.close(reading)
    text = output.decode(errors="replace")
    told = re.search(r"time: +about (.*?) from this plan to the table, by timed steps", text)
    if process.wait() or not told:
        raise SystemExit(text)
    return Seen(first_word, plan, seconds(told[1]), time.monotonic() - began)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end of a terminal is closed
        return b""


def seconds(text: str) -> float:
    """Return the seconds of '45 s', '12 min' or '3 h 05 min'."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+) (s|min|h)", text))


if __name__ == "__main__":
    sys.exit(main())
