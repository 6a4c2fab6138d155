"""What --warm-start takes over of an earlier sweep."""

import json
from pathlib import Path
from typing import Any

from lt_core.errors import InputError
from sweeps.planning.plan import Plan, PlannedArm
from sweeps.record.columns import KEYS
from sweeps.record.description import read_description
from sweeps.record.states import Phase, Status
from sweeps.record.tables import joined, parts
from sweeps.search.study import ArmSearch, parameters
from sweeps.store.recovery import Row
from sweeps.store.schemas import KNOBS, with_defaults

NOT_OF_THE_RUN = {"device", "precision", "channels_last", "threads", "evaluate_at"}


def known_trials(folder: Path, plan: Plan, fingerprint: str) -> tuple[dict[str, list[Row]], list[str]]:
    """Return the rows of an earlier sweep's search trials that fit an arm of the plan, and a note an arm.

    A trial fits where it differs from the arm's own in what the arm searches alone. It becomes a trial
    of the new sweep, and terminal: Optuna, ASHA and the selection know it, and it is not run again.

    Raises:
        InputError: ``folder`` cannot be read, is of other data, or holds no trial that fits.
    """
    about = read_description(folder)
    if about.data.fingerprint != fingerprint:
        raise InputError(f"--warm-start {folder}: that sweep ran on other data, {about.data.name}")
    tables = {name: _read(folder, name) for name in KEYS}
    tables["trials"] = [row | with_defaults(row) for row in tables["trials"]]
    known: dict[str, list[Row]] = {name: [] for name in tables}
    notes = []
    for arm in plan.searched:
        fixed = with_defaults(ArmSearch(arm, plan.trials, plan.seed).fixed_knobs())
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
    known = row["status"] in (Status.FINISHED, Status.STOPPED, Status.DIVERGED)
    others = KNOBS.keys() - NOT_OF_THE_RUN - arm.search.keys()
    return (
        (row["arm"], row["phase"], known) == (arm.name, Phase.SEARCH, True)
        and all(space.contains(row[knob]) for knob, space in arm.search.items())
        and all(row[knob] == _plain(fixed[knob]) for knob in others)
    )


def _whole(row: Row, tables: dict[str, list[Row]]) -> bool:
    epochs = {r["epoch"] for r in tables["epochs"] if r["trial"] == row["trial"]}
    classes = any(r["trial"] == row["trial"] for r in tables["classes"])
    found = classes or row["epochs_done"] == 0 or row["status"] == Status.DIVERGED
    return epochs - {0} == set(range(1, row["epochs_done"] + 1)) and found


def _proposal(row: Row, arm: PlannedArm) -> str:
    """Return what Optuna would have proposed; to the bit, where the arm searched the same knobs."""
    params: Row = {}
    for knob, space in arm.search.items():
        params |= space.as_params(knob, row[knob])
    proposed = parameters(row["trial"], row.get("proposal") or "{}")
    return json.dumps(proposed if proposed.keys() == params.keys() else params)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _read(folder: Path, name: str) -> list[Row]:
    found = []
    for path, part in parts(folder, name):
        if isinstance(part, ValueError):
            raise InputError(f"--warm-start: {path} cannot be read: {part}")
        found.append(part)
    return joined(found).to_pylist() if found else []
