"""Run an experiment: plan, search, final runs, Parquet, table.  python -m sweeps.run cb_focal

Torch, Ray and Optuna take seconds to import, so each function imports what it needs of them: --list, --help
and wrong options answer at once.
"""

import signal
import subprocess
import sys
import time

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback from the midst of what is imported below

from argparse import Namespace
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from lt_core.errors import InputError
from sweeps import experiments
from sweeps.engine.ground import Ground, judged, machines
from sweeps.engine.share import Share
from sweeps.record.errors import RecordError
from sweeps.record.output import unfailing_output
from sweeps.record.remote import reading, results_folder
from sweeps.store.location import Location, open_location
from sweeps.store.taken import refuse_at_once
from sweeps.terminal import options as options_of
from sweeps.terminal.signals import Interrupted, Signals
from sweeps.terminal.waiting import waiting

if TYPE_CHECKING:
    from lt_core.data import Dataset
    from sweeps.planning.plan import Plan
    from sweeps.record.description import Description
    from sweeps.store.recovery import Row


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, run the sweep, return the exit code."""
    with unfailing_output(), Signals() as signals:
        try:
            given = vars(options_of.parser().parse_args(argv))
            if given.get("list"):
                return _list()
            if sys.platform == "win32":
                raise InputError("sweeps run on Linux and macOS; on Windows, in WSL")
            if "experiment" not in given:
                raise InputError("which experiment? --list shows them")
            return _sweep(given, signals)
        except (InputError, RecordError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except Interrupted as interrupted:
            return 128 + interrupted.number


def _list() -> int:
    for name, line in experiments.known().items():
        print(f"{name:12} {line}")
    return 0


def _sweep(given: dict[str, Any], signals: Signals) -> int:
    given = options_of.with_paths(given)
    name = experiments.name_of(given["experiment"])
    where = options_of.place(given.get("results", options_of.DEFAULTS["results"]), name)
    place = open_location(where)
    if given.pop("resume_if_any", False):
        given["resume"] = _holds_a_sweep(where)
    begun = _begun(where) if given.get("resume") else None
    options = options_of.complete(given, begun.options if begun else None)
    settings, added = options_of.settings(options.set), options_of.additions(options.add)
    if not begun:
        refuse_at_once(place, [options.dataset] if options.dataset else options_of.DEFAULT_DATA)
    deadline = time.monotonic() + options.time_budget if options.time_budget else None
    with waiting(f"{name}: reading {options.dataset or 'CIFAR-10'}") as tell:
        with signals.at_once():
            _import_what_is_heavy(ray_too=not options.dry_run)
        from sweeps.terminal.opening import open_data

        _, module = experiments.find(options.experiment)
        options.dataset, data = open_data(options, settings, tell)

    from sweeps.planning.description import describe
    from sweeps.planning.experiment import with_added
    from sweeps.planning.plan import make_plan
    from sweeps.search import asha
    from sweeps.terminal.estimate import expected_seconds
    from sweeps.terminal.plan_text import plan_text, so_far

    options.address = options_of.address(options)
    with machines(options.address, data.copy, place.address, signals) as there_are:
        share = Share.asked(options.cpus_per_trial, options.gpus_per_trial, there_are)
        ground = Ground(there_are, options.address is not None, share, options.max_concurrent)
        plan = make_plan(
            name,
            with_added(experiments.make(module, data), added),
            data,
            settings=settings,
            trials=options.trials,
            epochs=options.epochs,
            seeds=options.seeds,
            seed=options.seed,
            machine=share.knobs,
            preset=options.preset,
        )
        options.preset = plan.preset
        plan.notes.extend(_rehearse(plan, options, data))
        description = describe(plan, data, vars(options), experiments.summary(module), asha.RULE)
        description, known, notes = _earlier(begun, plan, data, options, description)
        if options.dry_run:
            said, costs = judged(ground, plan, data, experiments.own_source(options.experiment))
            seconds = expected_seconds(plan.runs(), costs, ground.concurrent)
            done = so_far(results_folder(where)) if begun else ""
            print(plan_text(plan, data, where, said, seconds) + done)
            return 0
        ended_early = _run(plan, data, place, description, known, notes, options, ground, signals, deadline)
    return _finish(where, options, ended_early, signals)


def _import_what_is_heavy(ray_too: bool) -> None:
    import sweeps.planning.plan
    import sweeps.search.study

    if ray_too:
        import sweeps.engine.run  # noqa: F401


def _begun(where: str) -> "Description":
    """Return what is on record of the sweep that --resume goes on with."""
    from sweeps.record.description import read_description

    try:
        return read_description(results_folder(where))
    except RecordError as error:
        never_began = "" if _holds_a_sweep(where) else "; begin it without --resume"
        raise InputError(f"{error}{never_began}") from None


def _holds_a_sweep(where: str) -> bool:
    folder = results_folder(where)
    with reading(folder):
        return (folder / "sweep.json").exists()


def _rehearse(plan: "Plan", options: Namespace, data: "Dataset") -> list[str]:
    """Try what a file of the user's own has registered, before anything is begun; return notes. A sweep that
    goes on has the file that it was begun with."""
    from sweeps.engine import rehearsal

    file = experiments.own_file(options.experiment)
    if file is None or options.resume:
        return []
    arms = [(arm.arm.label, arm.config.model_dump(mode="json") | {"device": "auto"}) for arm in plan.arms]
    with waiting(f"trying every kind of arm of {file.name} on a few images"):
        return rehearsal.rehearse(rehearsal.kinds(arms), file, data.copy)


def _earlier(
    begun: "Description | None", plan: "Plan", data: "Dataset", options: Namespace, now: "Description"
) -> tuple["Description", dict[str, list["Row"]], list[str]]:
    """Check that --resume goes on with the sweep that was begun, or take over the trials of --warm-start.

    Returns the description with its notes complete, the rows that are known by table, and what to say.
    """
    from sweeps.search import warm_start
    from sweeps.store import same_sweep

    if begun:
        return now.model_copy(update={"notes": begun.notes}), {}, same_sweep.check(begun, now)
    if options.warm_start:
        known, notes = warm_start.known_trials(results_folder(options.warm_start), plan, data.fingerprint)
        return now.model_copy(update={"notes": [*now.notes, *notes]}), known, notes
    return now, {}, []


def _run(
    plan: "Plan",
    data: "Dataset",
    place: Location,
    description: "Description",
    known: dict[str, list["Row"]],
    notes: list[str],
    options: Namespace,
    ground: Ground,
    signals: Signals,
    deadline: float | None,
) -> str | None:
    """Show the plan and run it; return why it ended early, or None."""
    from sweeps.engine import run as engine
    from sweeps.engine.connection import connected
    from sweeps.engine.watch import epoch_limits
    from sweeps.search.sequence import Sequence
    from sweeps.store.results import Results
    from sweeps.terminal.estimate import expected_seconds
    from sweeps.terminal.plan_text import plan_text
    from sweeps.terminal.progress import Progress

    with ExitStack() as stack:
        if options.address is None:
            with waiting("starting Ray"):
                stack.enter_context(connected(None))
            signals.install()  # Ray has taken SIGTERM
        own_source = experiments.own_source(options.experiment)
        said, costs = judged(ground, plan, data, own_source)
        results = Results(place, resume=options.resume)
        if known:
            results.write(**known)
        results.describe(description)
        try:
            sequence = Sequence(plan, results)
            seconds = expected_seconds(sequence.ahead(), costs, ground.concurrent)
            print(plan_text(plan, data, str(place), said, seconds), flush=True)
            progress = Progress(sequence, costs, seconds)
            progress.go_on(notes)
            return engine.run(
                sequence,
                data,
                progress,
                signals,
                ground=ground,
                plugin=own_source,
                deadline=deadline,
                checkpoint_every=options.checkpoint_every,
                epoch_limits=epoch_limits(options.epoch_limit, costs),
            )
        except InputError as error:
            raise InputError(f"{error}; go on with: {options_of.resume_command(options)}") from None


def _finish(where: str, options: Namespace, ended_early: str | None, signals: Signals) -> int:
    """Print the table as a user would ask for it, from the Parquet files, and how to go on."""
    if ended_early:
        go_on = options_of.resume_command(options)
        print(f"ended early: {ended_early}; go on with\n\n    {go_on}\n", flush=True)
    if signals.received:
        return 128 + signals.received
    command = [sys.executable, "-m", "analysis.report", where, "--tables-only"]
    report = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if report.returncode == 0:
        print(f"\nfull report, with figures:  python -m analysis.report {where}")
    elif ended_early:
        print(report.stderr.removeprefix("error: "), end="")
    else:
        print(report.stderr, end="", file=sys.stderr)
    return 0 if ended_early else report.returncode


if __name__ == "__main__":
    sys.exit(main())
