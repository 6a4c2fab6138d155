"""Is it the same sweep? What --resume checks, and what --warm-start takes over."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from lt_core.errors import InputError
from sweeps.planning.plan import Plan, PlannedArm
from sweeps.record.columns import KNOBS
from sweeps.search.study import ArmSearch
from sweeps.store.recovery import Row

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
    git: str | None
    file: str | None


def recorded(folder: Path) -> Record:
    """Read the sweep.json of a folder that holds a sweep."""
    path = folder / "sweep.json"
    try:
        return Record.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{folder} holds no sweep: {error.strerror} (sweep.json)") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path} is damaged, or of another version: {first['msg']} {where}".strip()
        ) from None


def check(old: Record, description: dict[str, Any]) -> list[str]:
    """Refuse to go on with a sweep that is not the one that was begun; ``description``: of the one now.

    Returns notes on what may matter and cannot be judged.

    Raises:
        InputError: naming the first difference.
    """
    new = Record.model_validate_json(json.dumps(description, default=str))
    for name in ("trials", "seeds"):
        before, now = getattr(old, name), getattr(new, name)
        if now < before:
            raise InputError(f"--resume: --{name} may only grow, from {before}, not to {now}")
    if old.file != new.file:
        changed = "the experiment file has changed since the sweep began"
        raise InputError(f"--resume: {changed}: restore it, or start anew with another --results")
    for what, before, now in _compared(old, new):
        if before != now:
            raise InputError(f"--resume: the sweep was begun with {what} {before}, it is {now} now")
    if old.git != new.git:
        return [f"the sweep was begun with the code at {old.git}, it goes on with {new.git}"]
    return []


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


def known_trials(folder: Path, plan: Plan, fingerprint: str) -> tuple[dict[str, list[Row]], list[str]]:
    """Return the rows of an earlier sweep's search trials that fit an arm of the plan, and a note an arm.

    A trial fits where it differs from the arm's own in what the arm searches alone. It becomes a trial
    of the new sweep, and terminal: Optuna, ASHA and the selection know it, and it is not run again.

    Raises:
        InputError: ``folder`` cannot be read, is of other data, or holds no trial that fits.
    """
    about = recorded(folder)
    if about.data.fingerprint != fingerprint:
        raise InputError(f"--warm-start {folder}: that sweep ran on other data, {about.data.name}")
    tables = {name: _read(folder / name) for name in ("trials", "epochs", "classes")}
    known: dict[str, list[Row]] = {name: [] for name in tables}
    notes = []
    for arm in plan.searched:
        fixed = ArmSearch(arm, plan.trials, plan.seed).fixed_knobs()
        fitting = [row for row in tables["trials"] if _fits(row, arm, fixed) and _whole(row, tables)]
        for number, row in enumerate(fitting):
            origin, key = row["trial"], f"{arm.name}-search-{number:04d}"
            for name in ("epochs", "classes"):
                known[name] += [r | {"trial": key} for r in tables[name] if r["trial"] == origin]
            changed = {"trial": key, "experiment": plan.name, "known_from": f"{folder}: {origin}"}
            known["trials"].append(row | changed | {"proposal": _proposal(row, arm)})
        notes.append(f"{arm.arm.label}: {len(fitting)} search trials are known from {folder}")
    if not known["trials"]:
        raise InputError(
            f"--warm-start {folder}: no search trial there fits an arm of {plan.name}: the arm's name, the "
            "seed, the epochs and every knob that is not searched must be the same"
        )
    return known, notes


def _fits(row: Row, arm: PlannedArm, fixed: Row) -> bool:
    at_its_end = row["phase"] == "search" and row["status"] in ("finished", "stopped", "diverged")
    others = KNOBS.keys() - OF_THE_MACHINE - arm.search.keys()
    return (
        (row["arm"], at_its_end) == (arm.name, True)
        and all(knob in row and space.contains(row[knob]) for knob, space in arm.search.items())
        and all(knob in row and row[knob] == _plain(fixed[knob]) for knob in others)
    )


def _whole(row: Row, tables: dict[str, list[Row]]) -> bool:
    epochs = {r["epoch"] for r in tables["epochs"] if r["trial"] == row["trial"]}
    classes = any(r["trial"] == row["trial"] for r in tables["classes"])
    return epochs == set(range(1, row["epochs_done"] + 1)) and classes == (row["epochs_done"] > 0)


def _proposal(row: Row, arm: PlannedArm) -> str:
    """Return what Optuna would have proposed; to the bit, where the arm searched the same knobs."""
    params: Row = {}
    for knob, space in arm.search.items():
        params |= space.as_params(knob, row[knob])
    proposed = json.loads(row.get("proposal") or "{}")
    return json.dumps(proposed if proposed.keys() == params.keys() else params)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _read(table: Path) -> list[Row]:
    try:
        return pq.read_table(table, page_checksum_verification=True).to_pylist()
    except (OSError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"--warm-start: {table} cannot be read: {reason}") from None
