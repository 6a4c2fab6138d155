"""Columns and metrics, written once."""

from typing import Annotated, Literal, get_type_hints

import pyarrow as pa
import pytest
from pydantic import Field

from lt_core.config import TrainConfig
from lt_core.evaluation.metrics import Summary
from sweeps.record.columns import KEYS, knob_type, schemas
from sweeps.record.metrics import DIRECTION, METRICS, RUNG_METRIC, SELECTION_METRIC, TEST_METRIC


def test_the_metrics_are_the_loss_and_those_of_a_summary():
    assert METRICS.keys() == {"loss", *get_type_hints(Summary)}
    assert set(METRICS.values()) == {"min", "max"}
    assert (
        METRICS[SELECTION_METRIC.removeprefix("val_")]
        == METRICS[TEST_METRIC.removeprefix("test_")]
        == DIRECTION
    )


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (bool, pa.bool_()),
        (int, pa.int64()),
        (float, pa.float64()),
        (str, pa.string()),
        (Literal["a", "b"], pa.string()),
        (tuple[float, ...], pa.list_(pa.float64())),
        (tuple[int, ...], pa.list_(pa.int64())),
        (int | None, pa.int64()),
        (Literal["a"] | None, pa.string()),
        (tuple[int, ...] | None, pa.list_(pa.int64())),
        (Annotated[float, Field(gt=0)], pa.float64()),
        (Annotated[bool, "anything"] | None, pa.bool_()),
    ],
)
def test_a_knob_has_the_column_of_its_annotation(annotation, expected):
    assert knob_type(annotation) == expected


def test_a_knob_that_could_be_two_things_is_refused():
    with pytest.raises(ValueError, match="too many values"):
        knob_type(int | str)


def test_every_table_has_its_keys_and_every_knob_a_column_that_holds_its_values():
    tables = schemas({name: field.annotation for name, field in TrainConfig.model_fields.items()})
    for name, schema in tables.items():
        assert set(KEYS[name]) <= set(schema.names)
        assert len(set(schema.names)) == len(schema.names)
    assert {SELECTION_METRIC, RUNG_METRIC, TEST_METRIC} <= set(tables["epochs"].names)
    for config in (TrainConfig(), TrainConfig(profile="counts", counts=(3, 2), threads=2)):
        row = config.model_dump()
        (back,) = pa.Table.from_pylist([row], schema=tables["trials"]).to_pylist()
        assert {knob: back[knob] for knob in row} == config.model_dump(mode="json")
