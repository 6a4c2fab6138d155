"""What older versions of the record called things, and how their names become today's.

Version 1 had no number in sweep.json. What a record does not hold has its default; see also
``Description``.
"""

import json
from typing import Any

import pyarrow as pa

VERSION = 2
RENAMED = {  # columns by table: version 1 to 2
    "trials": {"split": "stage1_share"},
    "epochs": {"val_potential": "val_best_adjusted_recall"},
    "classes": {},
}
RENAMED_KNOBS = RENAMED["trials"]


def upgrade_table(name: str, table: pa.Table) -> pa.Table:
    """Return a part of a table with today's names."""
    if name == "trials" and "split" in table.column_names:
        at = table.column_names.index("proposal")
        proposals = pa.array([_proposal(text.as_py()) for text in table["proposal"]], pa.string())
        table = table.set_column(at, "proposal", proposals)
    return table.rename_columns([RENAMED[name].get(column, column) for column in table.column_names])


def upgrade_row(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the journal with today's names."""
    if name == "trials" and row.keys() >= {"split", "proposal"}:
        row = row | {"proposal": _proposal(row["proposal"])}
    return {RENAMED.get(name, {}).get(column, column): value for column, value in row.items()}


def upgrade_description(about: dict[str, Any]) -> dict[str, Any]:
    """Return what sweep.json held with today's names, and as arms' own what was the sweep's before."""
    if about.get("version", 1) >= VERSION:
        return about
    counts = about.get("data", {}).get("train_counts", [])
    arms = [{"train_counts": counts, **arm, **_upgraded_arm(arm)} for arm in about.get("arms", [])]
    options = about.get("options", {})
    settings = [_setting(pair) for pair in options.get("set", [])]
    data = about.get("data", {})
    benchmark = {"CIFAR-10, JPEG": "CIFAR-10"}.get(data.get("name"), data.get("name"))
    return {
        **about,
        "version": VERSION,
        "data": {"benchmark": benchmark, **data},
        "arms": arms,
        "options": {**options, "set": settings},
    }


def _upgraded_arm(arm: dict[str, Any]) -> dict[str, Any]:
    # Version 1 said in words what a search may leave off; its off was None, or 0 where None was no value.
    searched = {
        RENAMED_KNOBS.get(knob, knob): {"text": text, "off": 0 if text.startswith("off") else None}
        for knob, text in arm.get("searched", {}).items()
    }
    knobs = {RENAMED_KNOBS.get(knob, knob): value for knob, value in arm.get("knobs", {}).items()}
    return {"searched": searched, "knobs": knobs}


def _setting(pair: str) -> str:
    knob, equals, value = pair.partition("=")
    return f"{RENAMED_KNOBS.get(knob, knob)}{equals}{value}"


def _proposal(text: str | None) -> str | None:
    """Optuna's parameters carry the knobs' names, with a question mark where they say whether it is on."""
    if text is None:
        return None
    parameters = json.loads(text)
    if not isinstance(parameters, dict):
        raise ValueError(f"a proposal is {text}, no parameters")
    return json.dumps({_parameter(name): value for name, value in parameters.items()})


def _parameter(name: str) -> str:
    knob = name.removesuffix("?")
    return RENAMED_KNOBS.get(knob, knob) + name[len(knob) :]
