"""Run an experiment: plan, search, final runs, Parquet, table.  python -m sweeps.run cb_focal"""

import argparse
import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from joblib import cpu_count

from lt_core.config import TrainConfig
from lt_core.data import Dataset, load_dataset
from lt_core.errors import InputError, Unavailable
from sweeps import experiment as experiments
from sweeps.describe import describe, plan_text, seconds_per_epoch_by_arm
from sweeps.plan import make_plan
from sweeps.progress import Progress


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
    image_size = TrainConfig.parse({k: v for k, v in settings.items() if k == "image_size"}).image_size
    spec, data = _open_data(options, image_size)
    gpus = options.gpus_per_trial
    share = engine.Share(options.cpus_per_trial, min(1, torch.cuda.device_count()) if gpus is None else gpus)
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
        machine={"threads": share.threads, "device": "cuda" if share.gpus else "cpu"},
    )
    folder = Path(options.results) / name
    if options.dry_run:
        concurrent = share.concurrent(cpu_count(), torch.cuda.device_count())
        print(plan_text(plan, data, folder, concurrent, seconds_per_epoch_by_arm(plan, data)))
        return 0
    with engine.connected(options.address) as resources:
        concurrent = share.concurrent(resources.get("CPU", 0), resources.get("GPU", 0))
        costs = seconds_per_epoch_by_arm(plan, data)
        results = Results(folder)
        print(plan_text(plan, data, folder, concurrent, costs), flush=True)
        about = experiments.summary(module)
        results.describe(describe(plan, data, spec.partition(":")[0], vars(options), about))
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
                "image_size": image_size,
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
    if code == 0:
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
    except Unavailable as error:
        print(f"{error}\nusing the bundled digits instead\n")
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
    if not match or float(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"write 90s, 30m or 8h, not {text!r}")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


if __name__ == "__main__":
    sys.exit(main())
