"""Harm sweeps at random times, resume them, and compare with undisturbed ones.

    python -m benchmarks.faults.campaign --out faults.md

A sweep is started, harmed, and started again with --resume until it ends. Every row that an undisturbed
sweep has must then be there once, with the same values: trials (status, epochs, proposal, every knob),
epochs and classes, and the rungs that follow from them. Times, hosts and numbers of attempts may differ.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.faults import clusters, faults
from benchmarks.faults.driver import Case, start
from sweeps.record.metrics import RUNG_METRIC
from sweeps.search.asha import ASHA
from sweeps.store.recovery import GOING_ON

MAY_DIFFER = {
    "trials": ["seconds", "started", "host", "attempts"],
    "epochs": ["train_seconds", "eval_seconds"],
    "classes": [],
}
KEYS = {"trials": ["trial"], "epochs": ["trial", "epoch"], "classes": ["trial", "class"]}


@dataclass
class Count:
    """What the sweeps of one kind of fault came to."""

    faults: int = 0
    sweeps: int = 0
    expected: int = 0
    found: int = 0
    missing: int = 0
    duplicates: int = 0
    differing: int = 0
    unended: int = 0


FIXED = Case("fixed list, 2 at once", "fixed", 2)
SEARCHED = Case("ASHA + TPE, 1 at once", "searched", 1)
ARRIVAL = Case("ASHA + TPE, 2 at once", "searched", 2, equal=False)
KINDS: dict[str, Callable] = {
    "SIGKILL of the driver": faults.kill_driver,
    "SIGKILL of a worker": faults.kill_worker,
    "full disk": faults.fill_disk,
    "truncated file": faults.truncate,
}
CLUSTERS = {"loss of a raylet": clusters.run_on_raylets, "loss of a host": clusters.run_on_hosts}
PLAN = [
    *((kind, case, n) for kind, n in zip(KINDS, (20, 20, 5, 10), strict=True) for case in (FIXED, SEARCHED)),
    ("SIGKILL of the driver", ARRIVAL, 20),
    ("loss of a raylet", FIXED, 5),
    ("loss of a raylet", SEARCHED, 5),
    ("loss of a host", FIXED, 5),
    ("loss of a host", SEARCHED, 5),
]
SHORT = [("truncated file", SEARCHED, 1)]  # its driver is killed as well


def main(argv: list[str] | None = None) -> int:
    """Run the campaign; exit 1 where a row is missing, double, different or without an end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.campaign", description=__doc__)
    parser.add_argument("--out", type=Path, help="file that gets the table")
    parser.add_argument("--short", action="store_true", help="a few faults, for the tests")
    parser.add_argument("--fault", help="only this one, such as 'loss of a host'")
    parser.add_argument("--seed", type=int, default=0, help="moves the times of the faults")
    options = parser.parse_args(argv)
    plan = [line for line in (SHORT if options.short else PLAN) if options.fault in (None, line[0])]
    with tempfile.TemporaryDirectory(prefix="faults-") as work:
        lines = list(campaign(Path(work), plan, options.seed))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return int(any(line.endswith("LOSS |") for line in lines))


def campaign(work: Path, plan: list[tuple[str, Case, int]], seed: int) -> Iterator[str]:
    """Print and yield a line for each kind of fault and case, as a Markdown table."""
    names = (
        "faults",
        "sweeps",
        "rows expected",
        "rows found",
        "missing",
        "duplicates",
        "differing",
        "no end",
    )
    for line in (
        "| fault | case | " + " | ".join(names) + " | |",
        "|:--|:--|" + "--:|" * len(names) + ":--|",
    ):
        print(line, flush=True)
        yield line
    undisturbed = {}
    for kind, case, n in plan:
        if case.experiment not in undisturbed:
            undisturbed[case.experiment] = run_undisturbed(work, case)
        count = Count()
        while count.faults < n:
            folder = work / f"{kind}-{case.label}-{count.sweeps}".replace(" ", "-") / case.experiment
            rng = random.Random(f"{seed} {kind} {case.label} {count.sweeps}")
            count.faults += run_harmed(folder, case, kind, rng, n - count.faults)
            found = read(folder)
            count.sweeps += 1
            count.found += sum(map(len, found.values()))
            count.duplicates += sum(int(rows.index.duplicated().sum()) for rows in found.values())
            count.unended += int(found["trials"].status.isin(GOING_ON).sum())
            if case.equal:
                compare(undisturbed[case.experiment], found, count)
            else:
                count_by_arrival(found, count)
        bad = count.missing + count.duplicates + count.differing + count.unended
        cells = " | ".join(f"{value:,}" for value in vars(count).values())
        line = f"| {kind} | {case.label} | {cells} | {'LOSS' if bad else 'none lost'} |"
        print(line, flush=True)
        yield line


def run_undisturbed(work: Path, case: Case) -> dict[str, pd.DataFrame]:
    """Run the case as it is and return its tables."""
    folder = work / "undisturbed" / case.experiment
    with start(folder, case) as driver:
        assert driver.wait() == 0, (folder.parent / "log").read_text()
    return read(folder)


def run_harmed(folder: Path, case: Case, kind: str, rng: random.Random, most: int) -> int:
    """Run one sweep to its end, with up to ``most`` faults; return how many were done."""
    if kind in CLUSTERS:
        return CLUSTERS[kind](folder, case, rng, most)
    done = 0
    while True:
        with start(folder, case) as driver:
            while done < most and driver.poll() is None:
                done += KINDS[kind](driver, folder, rng)
            code = driver.wait()
        if code == 0:
            return done
        expected = {"full disk": 2, "SIGKILL of a worker": 0}.get(kind, -9)
        assert code == expected, (folder.parent / "log").read_text()[-3000:]


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of a results folder by their keys, without what may differ."""
    tables = {table: pd.read_parquet(folder / table).drop(columns=MAY_DIFFER[table]) for table in KEYS}
    return {table: rows.set_index(KEYS[table]).sort_index() for table, rows in tables.items()}


def compare(expected: dict[str, pd.DataFrame], found: dict[str, pd.DataFrame], count: Count) -> None:
    """Add a sweep's rows to the count, beside those of an undisturbed one."""
    for table, rows in found.items():
        due, once = expected[table], rows[~rows.index.duplicated()]
        both = due.index.intersection(once.index)
        count.expected += len(due)
        count.missing += len(due.index.difference(once.index))
        count.differing += len(once.index.difference(due.index))
        count.differing += sum(not due.loc[[key]].equals(once.loc[[key]]) for key in both)
    count.differing += rungs(expected) != rungs(found)


def count_by_arrival(found: dict[str, pd.DataFrame], count: Count) -> None:
    """Add a sweep whose rows depend on arrival: each trial itself says how many epochs it has."""
    done = found["trials"].epochs_done
    epochs = found["epochs"].groupby("trial").size().reindex(done.index, fill_value=0)
    classes = found["classes"].groupby("trial").size().reindex(done.index, fill_value=0)
    count.expected += len(done) + int(done.sum()) + 10 * int((done > 0).sum())
    count.missing += int(
        (done - epochs).clip(lower=0).sum() + (10 * (done > 0) - classes).clip(lower=0).sum()
    )


def rungs(tables: dict[str, pd.DataFrame]) -> dict:
    """Return what ASHA holds when it is brought back from the rows: scores by arm and trial."""
    asha = ASHA()
    search = tables["trials"][tables["trials"].phase == "search"]
    for key, row in search.iterrows():
        scores = tables["epochs"].loc[[key]] if row.epochs_done else tables["epochs"].iloc[:0]
        at_rungs = dict(
            zip(
                scores.index.get_level_values("epoch").tolist(),
                scores[RUNG_METRIC].tolist(),
                strict=True,
            )
        )
        at_rungs = {epoch: score for epoch, score in at_rungs.items() if score == score}
        asha.bring_back(str(key), row.arm, row.epochs, at_rungs, row.epochs_done, ended=True)
    return asha.recorded()


if __name__ == "__main__":
    sys.exit(main())
