"""Run an experiment: plan, search, final runs, Parquet, table.  python -m sweeps.run cb_focal"""

import argparse
import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lt_core.data import Dataset, load_dataset
from lt_core.errors import InputError
from lt_core.timing import seconds_per_epoch
from lt_core.train import split_indices
from sweeps import experiment as experiments
from sweeps.plan import Plan, final_counts, make_plan, weight_note
from sweeps.progress import Progress, duration
from sweeps.scheduler import METRIC, REDUCTION, grace_period

PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pandas", "pyarrow")


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, run the sweep, return the exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.list:
            return _list()
        if options.experiment is None:
            raise InputError("which experiment? --list shows them")
        return _sweep(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sweeps.run", description=__doc__)
    add = parser.add_argument
    add("experiment", nargs="?", help="a name from --list, or a file of your own that ends in .py")
    add("--list", action="store_true", help="show the experiments and exit")
    add("--dry-run", action="store_true", help="show the plan and exit")
    add("--dataset", help="digits, cifar10, cifar100, parquet:DIR or folder:DIR")
    add("--data-dir", default="data", help="downloads and decoded images (default: data)")
    add("--trials", type=_at_least(1), help="search trials of each searched arm")
    add("--epochs", type=_at_least(1), help="epochs of every run")
    add("--seeds", type=_at_least(1), help="final runs of each arm")
    add("--results", default="results", help="folder that gets a folder NAME (default: results)")
    add("--time-budget", type=_time, metavar="8h", help="stop what runs after this long: 90s, 30m, 8h")
    add("--cpus-per-trial", type=float, default=1.0, help="cores of a trial (default: 1)")
    add("--gpus-per-trial", type=float, help="GPUs of a trial, fractions allowed (default: 1 if there)")
    add("--seed", type=_at_least(0), default=0, help="moves everything random (default: 0)")
    add("--set", action="append", default=[], metavar="KNOB=VALUE", help="fix a knob in every arm")
    add("--address", help="a running Ray cluster, auto for the one on this machine")
    return parser


def _list() -> int:
    for name, line in experiments.known().items():
        print(f"{name:12} {line}")
    return 0


def _sweep(options: argparse.Namespace) -> int:
    # Ray and Optuna take seconds to import; --list and wrong options should not wait for them.
    from sweeps import engine
    from sweeps.results import Results

    name, module = experiments.find(options.experiment)
    settings = _settings(options.set)
    spec, data = _open_data(options, settings.get("image_size"))
    gpus = options.gpus_per_trial
    share = engine.Share(options.cpus_per_trial, torch.cuda.device_count() and 1 if gpus is None else gpus)
    share.check()
    plan = make_plan(
        name,
        module.experiment(data),
        data,
        settings=settings,
        trials=options.trials,
        epochs=options.epochs,
        seeds=options.seeds,
        seed=options.seed,
        threads=share.threads,
    )
    folder = Path(options.results) / name
    if options.dry_run:
        concurrent = share.concurrent(_cores(), torch.cuda.device_count())
        _show_plan(plan, data, folder, concurrent)
        return 0
    with engine.connected(options.address) as resources:
        concurrent = share.concurrent(resources.get("CPU", 0), resources.get("GPU", 0))
        results = Results(folder)
        costs = _show_plan(plan, data, folder, concurrent)
        description = describe(plan, data, spec, options, experiments.summary(module))
        results.describe(description)
        ended_early = engine.run(
            plan,
            data,
            results,
            Progress(plan, costs),
            share=share,
            concurrent=concurrent,
            dataset={
                "spec": spec,
                "data_dir": str(Path(options.data_dir).resolve()),
                "image_size": settings.get("image_size"),
            },
            plugin=str(Path(options.experiment).resolve()) if options.experiment.endswith(".py") else None,
            time_budget=options.time_budget,
        )
    return _finish(folder, ended_early)


def _finish(folder: Path, ended_early: str | None) -> int:
    """Print the table as a user would ask for it: from the Parquet files."""
    if ended_early:
        print(f"ended early: {ended_early}; the table shows what there is")
    sys.stdout.flush()
    code = subprocess.run([sys.executable, "-m", "analysis.report", str(folder), "--tables-only"]).returncode
    print(f"\nfull report, with figures:  python -m analysis.report {folder}")
    return 130 if ended_early == "interrupted" else code


def _open_data(options: argparse.Namespace, image_size: int | None) -> tuple[str, Dataset]:
    """Load --dataset; without it CIFAR-10 where it can be had, else digits, and say so."""
    if options.dataset:
        spec = options.dataset
        kind, _, where = spec.partition(":")
        spec = f"{kind}:{Path(where).resolve()}" if where else spec
        return spec, load_dataset(spec, options.data_dir, image_size)
    try:
        return "cifar10", load_dataset("cifar10", options.data_dir, image_size)
    except InputError:
        print(
            f"CIFAR-10 is not under {options.data_dir} and cannot be fetched: using the bundled digits. "
            "(--dataset chooses; see the README.)\n"
        )
        return "digits", load_dataset("digits", options.data_dir, image_size)


def _settings(pairs: list[str]) -> dict[str, Any]:
    settings = {}
    for pair in pairs:
        knob, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"--set {pair}: write knob=value")
        try:
            settings[knob] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            settings[knob] = text  # a name such as resnet32
    return settings


def _show_plan(plan: Plan, data: Dataset, folder: Path, concurrent: int) -> dict[str, float]:
    """Print the plan. Return seconds per epoch by arm, from one timed step of each kind."""
    timed: dict[tuple, float] = {}
    costs = {}
    for arm in plan.arms:
        kind = (arm.config.model, arm.config.batch_size, arm.config.precision)
        if kind not in timed:
            timed[kind] = seconds_per_epoch(arm.config.model_copy(update={"evaluate_on": "test"}), data)
        costs[arm.name] = timed[kind]
    config = plan.arms[0].config
    print(f"{plan.name}: {len(plan.arms)} arms on {data.name}, {data.num_classes} classes")
    for split, use in (("test", "final runs"), ("val", "search")):
        counts = split_indices(config.model_copy(update={"evaluate_on": split}), data)[2]
        print(f"  training images, {use + ':':12} {_counts(counts)}")
    rung = grace_period(config.epochs)
    print(f"\n  {'arm':34} {'search':44} runs x epochs")
    for arm in plan.arms:
        space = "; ".join(f"{knob} {space}" for knob, space in arm.search.items())
        runs = ", ".join(f"{n} {phase}" for a, phase, n in plan.runs() if a is arm)
        print(f"  {arm.arm.label:34} {space or 'fixed':44} {runs} x {arm.config.epochs}")
    for note in plan.notes:
        print(f"  note: {note}")
    total = sum(n * arm.config.epochs * costs[arm.name] for arm, _, n in plan.runs()) / concurrent
    print(
        f"\n  search: Optuna (TPE) under ASHA on {METRIC}, from epoch {rung}, the best 1 in {REDUCTION} go on"
        f"\n  at once: {concurrent} trials"
        f"\n  results: {folder}"
        f"\n  time: about {duration(total)} at most, judged from one timed step\n",
        flush=True,
    )
    return costs


def _counts(counts: np.ndarray) -> str:
    return f"{' '.join(str(n) for n in counts)} ({counts.sum():,} in all)"


def describe(plan: Plan, data: Dataset, spec: str, options: argparse.Namespace, about: str) -> dict[str, Any]:
    """Return sweep.json: what was asked, on what, with what."""
    note = weight_note(plan, data)
    return {
        "experiment": plan.name,
        "about": about,
        "options": vars(options),
        "metric": METRIC,
        "direction": "max",
        "data": {
            "name": data.name,
            "spec": spec.partition(":")[0],
            "fingerprint": data.fingerprint,
            "class_names": list(data.class_names),
            "train_counts": final_counts(plan, data).tolist(),
        },
        "trials": plan.trials,
        "seeds": plan.seeds,
        "seed": plan.seed,
        "arms": [
            {
                "name": arm.name,
                "label": arm.arm.label,
                "baseline": arm.arm.baseline,
                "published": arm.arm.published,
                "searched": {knob: str(space) for knob, space in arm.search.items()},
                "epochs": arm.config.epochs,
            }
            for arm in plan.arms
        ],
        "contrasts": list(plan.experiment.contrasts),
        "published": plan.experiment.published,
        "notes": [*plan.experiment.notes, *([note] if note else [])],
        "versions": {package: metadata.version(package) for package in PACKAGES},
        "git": _git_revision(),
    }


def _git_revision() -> str | None:
    here = Path(__file__).parent
    git = subprocess.run(
        ["git", "-C", str(here), "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return git.stdout.strip() or None


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at_least(smallest: int) -> Any:
    def parse(text: str) -> int:
        number = int(text)
        if number < smallest:
            raise argparse.ArgumentTypeError(f"must be {smallest} or more, not {number}")
        return number

    parse.__name__ = "whole number"
    return parse


def _time(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not match:
        raise argparse.ArgumentTypeError(f"write 90s, 30m or 8h, not {text!r}")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


if __name__ == "__main__":
    sys.exit(main())
