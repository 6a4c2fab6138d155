"""The tables' schemas with the knobs of the training config, and a row's knobs as they are meant."""

from typing import Any

from lt_core.config import TrainConfig
from sweeps.record.columns import schemas

KNOBS = {name: field.annotation for name, field in TrainConfig.model_fields.items()}
SCHEMAS = schemas(KNOBS)
DEFAULTS = TrainConfig.parse({}).model_dump(mode="json")


def with_defaults(row: dict[str, Any]) -> dict[str, Any]:
    """Return every knob of a row, as JSON has it. A knob that is new since the row was written, or that was
    empty then, has its default: None is never a value beside a default (tests/lt_core/test_config.py)."""
    return {knob: default if row.get(knob) is None else row[knob] for knob, default in DEFAULTS.items()}
