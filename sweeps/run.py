"""Run an experiment: plan, search, final runs, Parquet, table.  python -m sweeps.run cb_focal"""

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from joblib import cpu_count

from lt_core.config import TrainConfig
from lt_core.data import Dataset, load_dataset
from lt_core.errors import InputError, Unavailable
from sweeps import experiments
from sweeps.engine.share import Share
from sweeps.planning.costs import seconds_per_epoch_by_arm
from sweeps.planning.description import describe
from sweeps.planning.plan import Plan, make_plan
from sweeps.store.results import Results
from sweeps.terminal import options as options_of
from sweeps.terminal.plan_text import plan_text
from sweeps.terminal.progress import Progress
from sweeps.terminal.signals import Interrupted, Signals


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, run the sweep, return the exit code."""
    with Signals() as signals:
        try:
            given = vars(options_of.parser().parse_args(argv))
            if given.get("list"):
                return _list()
            if "experiment" not in given:
                raise InputError("which experiment? --list shows them")
            return _sweep(given, signals)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except Interrupted as interrupted:
            return 128 + interrupted.number


def _list() -> int:
    for name, line in experiments.known().items():
        print(f"{name:12} {line}")
    return 0


def _sweep(given: dict[str, Any], signals: Signals) -> int:
    # Ray and Optuna take seconds to import; --list and wrong options should not wait for them.
    from sweeps.engine import run as engine
    from sweeps.store import same_sweep as resume

    name, module = experiments.find(given["experiment"])
    folder = Path(given.get("results", options_of.DEFAULTS["results"])) / name
    begun = resume.recorded(folder) if given.get("resume") else None
    options = options_of.complete(given, begun.options if begun else None)
    gpus = min(1, torch.cuda.device_count()) if options.gpus_per_trial is None else options.gpus_per_trial
    share = Share(options.cpus_per_trial, gpus)
    settings = options_of.settings(options.set)
    image_size = TrainConfig.parse({k: v for k, v in settings.items() if k == "image_size"}).image_size
    options.dataset, data = _open_data(options, image_size)
    plan = make_plan(
        name,
        experiments.make(module, data),
        data,
        settings=settings,
        trials=options.trials,
        epochs=options.epochs,
        seeds=options.seeds,
        seed=options.seed,
        machine={"threads": share.threads, "device": "cuda" if share.gpus else "cpu"},
        preset=options.preset,
    )
    options.preset = plan.preset
    description = describe(plan, data, vars(options), experiments.summary(module))
    notes: list[str] = []
    known: dict[str, list] = {}
    if begun:
        notes = resume.check(begun, description)
        description["notes"] = begun.notes
    elif options.warm_start:
        known, notes = resume.known_trials(Path(options.warm_start), plan, data.fingerprint)
        description["notes"] += notes
    if options.dry_run:
        concurrent = share.concurrent(cpu_count(), torch.cuda.device_count(), options.max_concurrent)
        print(plan_text(plan, data, folder, concurrent, seconds_per_epoch_by_arm(plan, data)))
        return 0
    with engine.connected(options.address) as resources:
        signals.install()  # Ray has taken SIGTERM
        concurrent = share.concurrent(
            resources.get("CPU", 0), resources.get("GPU", 0), options.max_concurrent
        )
        costs = seconds_per_epoch_by_arm(plan, data)
        results = Results(folder, resume=bool(begun))
        print(plan_text(plan, data, folder, concurrent, costs), flush=True)
        if known:
            results.write(**known)
        results.describe(description)
        try:
            ended_early = engine.run(
                plan,
                data,
                results,
                _progress(plan, costs, results, notes),
                signals,
                share=share,
                concurrent=concurrent,
                dataset={
                    "spec": options.dataset,
                    "data_dir": str(Path(options.data_dir).resolve()),
                    "image_size": image_size,
                },
                plugin=str(Path(options.experiment).resolve())
                if options.experiment.endswith(".py")
                else None,
                time_budget=options.time_budget,
                checkpoint_every=options.checkpoint_every,
            )
        except InputError as error:
            raise InputError(f"{error}; go on with: {options_of.resume_command(options)}") from None
    return _finish(folder, options, ended_early, signals)


def _progress(plan: Plan, costs: dict[str, float], results: Results, notes: list[str]) -> Progress:
    """Say what is known already, and count on from it."""
    progress = Progress(plan, costs)
    progress.go_on(results.past)
    for note in [*results.past.notes, *notes]:
        progress.note(note)
    if results.trials:
        progress.note(f"goes on: {progress.done_so_far()}")
    return progress


def _finish(folder: Path, options: Namespace, ended_early: str | None, signals: Signals) -> int:
    """Print the table as a user would ask for it, from the Parquet files, and how to go on."""
    if ended_early:
        print(
            f"ended early: {ended_early}; go on with\n\n    {options_of.resume_command(options)}\n",
            flush=True,
        )
    if signals.received:
        return 128 + signals.received
    command = [sys.executable, "-m", "analysis.report", str(folder), "--tables-only"]
    report = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if report.returncode == 0:
        print(f"\nfull report, with figures:  python -m analysis.report {folder}")
    elif ended_early:
        print(report.stderr.removeprefix("error: "), end="")
    else:
        print(report.stderr, end="", file=sys.stderr)
    return 0 if ended_early else report.returncode


def _open_data(options: Namespace, image_size: int | None) -> tuple[str, Dataset]:
    """Load --dataset; without it CIFAR-10 where it can be had, else digits, and say so."""
    if options.dataset:
        return options.dataset, load_dataset(options.dataset, options.data_dir, image_size)
    try:
        return "cifar10", load_dataset("cifar10", options.data_dir, image_size)
    except Unavailable as error:
        print(f"{error}\nusing the bundled digits instead\n")
        return "digits", load_dataset("digits", options.data_dir, image_size)


if __name__ == "__main__":
    sys.exit(main())
