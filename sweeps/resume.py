"""Is it the same sweep? What --resume checks, and what --warm-start takes over."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from lt_core.errors import InputError
from sweeps.arm_search import ArmSearch
from sweeps.columns import KNOBS
from sweeps.plan import Plan, PlannedArm
from sweeps.recovery import UNFINISHED, Row
from sweeps.results import Results

DECISIVE = ("torch", "torchvision", "numpy", "optuna")  # packages whose version moves the numbers
OF_THE_MACHINE = {"device", "precision", "channels_last", "threads"}


class DataRecord(BaseModel):
    """What sweep.json says of the data."""

    name: str
    fingerprint: str


class ArmRecord(BaseModel):
    """What sweep.json says of an arm: every knob, and the spaces of those that are searched, in words."""

    name: str
    searched: dict[str, str]
    knobs: dict[str, Any]


class Record(BaseModel):
    """The part of sweep.json that says which sweep it is."""

    experiment: str
    options: dict[str, Any]
    seed: int
    trials: int
    seeds: int
    data: DataRecord
    arms: list[ArmRecord]
    notes: list[str]
    versions: dict[str, str]


def recorded(folder: Path) -> Record:
    """Read the sweep.json of a folder that holds a sweep."""
    path = folder / "sweep.json"
    try:
        return Record.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{folder} holds no sweep to go on with: {error.strerror} (sweep.json)") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path} is damaged, or of another version: {first['msg']} {where}".strip()
        ) from None


def check(old: Record, description: dict[str, Any]) -> None:
    """Refuse to go on with a sweep that is not the one that was begun; ``description``: of the one now.

    Raises:
        InputError: naming the first difference.
    """
    new = Record.model_validate_json(json.dumps(description, default=str))
    for name in ("trials", "seeds"):
        before, now = getattr(old, name), getattr(new, name)
        if now < before:
            raise InputError(f"--resume: --{name} may only grow, from {before}, not to {now}")
    for what, before, now in _compared(old, new):
        if before != now:
            raise InputError(f"--resume: the sweep was begun with {what} {before}, it is {now} now")


def _compared(old: Record, new: Record) -> list[tuple[str, Any, Any]]:
    rows: list[tuple[str, Any, Any]]
    rows = [("experiment", old.experiment, new.experiment), ("--seed", old.seed, new.seed)]
    rows += [("data", old.data.name, new.data.name)]
    rows += [("data of fingerprint", old.data.fingerprint, new.data.fingerprint)]
    rows += [(name, old.versions.get(name), new.versions.get(name)) for name in DECISIVE]
    rows += [("the arms", [arm.name for arm in old.arms], [arm.name for arm in new.arms])]
    for before, now in zip(old.arms, new.arms, strict=False):
        rows.append((f"arm {before.name!r} searching", before.searched, now.searched))
        for knob in sorted(before.knobs.keys() | now.knobs.keys()):
            rows.append((f"arm {before.name!r} at {knob}", before.knobs.get(knob), now.knobs.get(knob)))
    return rows


def warm_start(folder: Path, plan: Plan, fingerprint: str, results: Results) -> list[str]:
    """Copy the search trials of an earlier sweep that fit an arm of the plan; return a note for each arm.

    A trial fits where it differs from the arm's own in what the arm searches alone. It becomes a trial
    of the new sweep, at its end: Optuna, ASHA and the selection know it, and it is not run again.

    Raises:
        InputError: ``folder`` cannot be read, is of other data, or holds no trial that fits.
    """
    about = recorded(folder)
    if about.data.fingerprint != fingerprint:
        raise InputError(f"--warm-start {folder}: that sweep ran on other data, {about.data.name}")
    tables = {name: _read(folder / name) for name in ("trials", "epochs", "classes")}
    candidates = [r for r in tables["trials"] if r["phase"] == "search" and r["status"] not in UNFINISHED]
    notes, found = [], 0
    for arm in plan.searched:
        fitting = [row for row in candidates if row["arm"] == arm.name and _fits(row, arm, plan)]
        for number, row in enumerate(fitting):
            origin, key = row["trial"], f"{arm.name}-search-{number:04d}"
            copied = {
                name: [r | {"trial": key} for r in tables[name] if r["trial"] == origin]
                for name in ("epochs", "classes")
            }
            known = {"trial": key, "experiment": plan.name, "known_from": f"{folder}: {origin}"}
            results.write(**copied, trials=[row | known])
            for epoch in copied["epochs"]:
                results.past.scores[key][epoch["epoch"]] = epoch["val_macro_recall"]
        found += len(fitting)
        notes.append(f"{arm.arm.label}: {len(fitting)} search trials are known from {folder}")
    if not found:
        raise InputError(f"--warm-start {folder}: no search trial there fits an arm of {plan.name}")
    return notes


def _fits(row: Row, arm: PlannedArm, plan: Plan) -> bool:
    fixed = ArmSearch(arm, plan.trials, plan.seed).fixed_knobs()
    searched = all(space.contains(row[knob]) for knob, space in arm.search.items())
    others = KNOBS.keys() - OF_THE_MACHINE - arm.search.keys()
    return bool(row.get("proposal")) and searched and all(row[k] == _plain(fixed[k]) for k in others)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _read(table: Path) -> list[Row]:
    try:
        return pq.read_table(table, page_checksum_verification=True).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"--warm-start: {table} cannot be read: {str(error).partition(chr(10))[0]}"
        ) from None
