"""The command line, and what of it a sweep that is resumed takes over."""

import argparse
import ast
import math
import os
import re
import shlex
from pathlib import Path
from typing import Any, NoReturn

from lt_core.errors import InputError
from sweeps.record.remote import is_remote

DEFAULTS: dict[str, Any] = {
    "experiment": None,
    "list": False,
    "dry_run": False,
    "resume": False,
    "warm_start": None,
    "dataset": None,
    "preset": None,
    "data_dir": "data",
    "trials": None,
    "epochs": None,
    "seeds": None,
    "results": "results",
    "time_budget": None,
    "checkpoint_every": 30.0,
    "epoch_limit": None,
    "max_concurrent": None,
    "cpus_per_trial": 1.0,
    "gpus_per_trial": None,
    "seed": 0,
    "set": [],
    "add": [],
    "address": None,
}
DEFAULT_DATA = ("cifar10", "digits")  # without --dataset: the second where the first cannot be had
PATHS = ("results", "data_dir", "warm_start", "experiment")
PLACES = ("results", "warm_start")  # those of them that may be URIs
# Of the call alone, never taken over by --resume.
OF_THE_CALL = {"experiment", "list", "dry_run", "resume", "results", "time_budget", "address"}
MAY_CHANGE = {"trials", "seeds", "max_concurrent", "checkpoint_every", "epoch_limit", "data_dir"}


class Parser(argparse.ArgumentParser):
    """Says what is wrong as every other bad input is told: in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; --help shows the options")


def parser() -> Parser:
    """Return the parser; what is not given is not in its namespace."""
    parser = Parser(
        prog="python -m sweeps.run",
        description="Run an experiment: plan, search, final runs, Parquet, table.",
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    add("experiment", nargs="?", help="a name from --list, or a file of your own that ends in .py")
    add("--list", action="store_true", help="show the experiments and exit")
    add("--dry-run", action="store_true", help="show the plan and exit")
    add("--resume", action="store_true", help="go on with an interrupted sweep, or extend a finished one")
    add("--resume-if-any", action="store_true", help="go on where there is a sweep, else begin it")
    add("--warm-start", metavar="DIR", help="results of an earlier sweep, whose search trials are known then")
    add("--dataset", help="digits, cifar10, cifar100, parquet:DIR or folder:DIR")
    add("--preset", help="the budget: cpu, gpu or digits (default: what the trials run on)")
    add("--data-dir", help="downloads and decoded images (default: data)")
    add("--trials", type=_at_least(1), help="search trials of each searched arm")
    add("--epochs", type=_at_least(1), help="epochs of every run")
    add("--seeds", type=_at_least(1), help="final runs of each arm")
    add("--results", help="folder, or s3://BUCKET/PREFIX, that gets a folder NAME (default: results)")
    add("--time-budget", type=_time, metavar="8h", help="end after this long, to be resumed: 90s, 30m, 8h")
    add("--checkpoint-every", type=_time, metavar="30s", help="between a trial's checkpoints (default: 30s)")
    add("--epoch-limit", type=_time, metavar="10m", help="fail a trial whose epoch takes longer (see README)")
    add("--max-concurrent", type=_at_least(1), help="trials at once (default: as many as fit)")
    add("--cpus-per-trial", type=_number, help="cores of a trial (default: 1)")
    add("--gpus-per-trial", type=_number, help="GPUs of a trial, fractions allowed (default: 1 if there)")
    add("--seed", type=_at_least(0), help="moves everything random (default: 0)")
    add("--set", action="append", metavar="KNOB=VALUE", help="fix a knob in every arm")
    add("--add", action="append", metavar='"LABEL: KNOB=VALUE ..."', help="add an arm with these knobs")
    add("--address", help="a running Ray cluster: HOST:PORT, auto, or local for none (default: RAY_ADDRESS)")
    return parser


def address(options: argparse.Namespace) -> str | None:
    """Return the address of the Ray cluster to run on: --address, else RAY_ADDRESS; None: this machine."""
    option, found = "--address", options.address
    if found is None:
        option, found = "RAY_ADDRESS", os.environ.get("RAY_ADDRESS") or "local"
    if "://" in found:
        remedy = "run it on the cluster (ray submit, ray job submit) or give HOST:PORT there"
        raise InputError(f"{option} {found} is the address of a client or a dashboard: {remedy}")
    return None if found == "local" else found


def with_paths(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given with ~ in every path as the home folder that it stands for."""
    paths = {name: str(_at_home(given[name])) for name in PATHS if name in given}
    paths |= {name: given[name] for name in PLACES if is_remote(given.get(name, ""))}
    return given | paths | ({"dataset": _absolute(given["dataset"])} if "dataset" in given else {})


def place(results: str, name: str) -> str:
    """Return where the sweep ``name`` is kept: a folder's path, or a URI."""
    return f"{results.rstrip('/')}/{name}" if is_remote(results) else str(Path(results) / name)


def complete(given: dict[str, Any], recorded: dict[str, Any] | None) -> argparse.Namespace:
    """Fill up what was not given: from the sweep that is resumed, else with the defaults.

    Raises:
        InputError: what was given differs from ``recorded`` where it may not.
    """
    taken = {name: value for name, value in (recorded or {}).items() if name in DEFAULTS}
    for name, value in given.items():
        if name in taken and name not in MAY_CHANGE | OF_THE_CALL and not _same(name, value, taken[name]):
            begun, now = (_shown(name, v) for v in (taken[name], value))
            raise InputError(f"--resume: the sweep was begun {begun}, not {now}")
    taken = {name: value for name, value in taken.items() if name not in OF_THE_CALL}
    return argparse.Namespace(**{**DEFAULTS, **taken, **given})


def _same(name: str, value: Any, before: Any) -> bool:
    """Whether an option is what it was; data may have moved: whether it is the same, its fingerprint says."""
    if name == "dataset" and isinstance(before, str):
        return value.partition(":")[:2] == before.partition(":")[:2]
    return value == before


def _shown(name: str, value: Any) -> str:
    option = f"--{name.replace('_', '-')}"
    if value in (None, []):
        return f"without {option}"
    values = value if isinstance(value, list) else [f"{value:g}" if isinstance(value, float) else value]
    return f"with {' '.join(f'{option} {v}' for v in values)}"


def _absolute(dataset: str) -> str:
    kind, _, where = dataset.partition(":")
    return f"{kind}:{_at_home(where).resolve()}" if where else dataset


def _at_home(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{path}: there is no home folder of that name") from None


def resume_command(options: argparse.Namespace) -> str:
    """Return what a user types to go on."""
    command = ["python", "-m", "sweeps.run", options.experiment, "--resume"]
    if options.results != DEFAULTS["results"]:
        command += ["--results", options.results]
    return shlex.join(command)


def settings(pairs: list[str]) -> dict[str, Any]:
    """Return the knobs of --set."""
    found = {}
    for pair in pairs:
        knob, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"--set {pair}: write knob=value")
        try:
            found[knob] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            found[knob] = text  # a name such as resnet32
    return found


def additions(texts: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the labels and the knobs of --add."""
    found = []
    for text in texts:
        label, colon, knobs = text.rpartition(":")
        try:
            pairs = shlex.split(knobs)
        except ValueError as error:
            raise InputError(f"--add {text}: {error}") from None
        if not (label.strip() and colon and pairs and all("=" in pair for pair in pairs)):
            raise InputError(f"--add {text}: write 'label: knob=value knob=value'")
        found.append((label.strip(), settings(pairs)))
    return found


def _at_least(smallest: int) -> Any:
    def parse(text: str) -> int:
        number = int(text)
        if number < smallest:
            raise argparse.ArgumentTypeError(f"must be {smallest} or more, not {number}")
        return number

    parse.__name__ = "whole number"
    return parse


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"must be a finite number, not {text}")
    return number


_number.__name__ = "number"


def _time(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not match or float(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"write 90s, 30m or 8h, not {text!r}")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
