"""The columns of the results, written once: every knob of the config, and what a run reports."""

from typing import Any, get_args

import pyarrow as pa

from lt_core.config import TrainConfig
from lt_core.evaluation.metrics import Summary


def _arrow_type(annotation: Any) -> pa.DataType:
    """Return the column type of a config field; a list of choices is a string, X | None is X."""
    options = [a for a in get_args(annotation) if a is not type(None)]
    if annotation in (bool, int, float, str):
        return {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}[annotation]
    if all(isinstance(option, str) for option in options):
        return pa.string()
    if Ellipsis in options:
        return pa.list_(_arrow_type(options[0]))
    return _arrow_type(options[0])


def _metric_columns(split: str) -> list[tuple[str, pa.DataType]]:
    names = ("loss", *Summary.__annotations__)
    return [(f"{split}_{name}", pa.float64()) for name in names]


KNOBS = {name: _arrow_type(field.annotation) for name, field in TrainConfig.model_fields.items()}
SCHEMAS: dict[str, pa.Schema] = {
    "trials": pa.schema(
        [
            ("trial", pa.string()),
            ("experiment", pa.string()),
            ("data", pa.string()),
            ("arm", pa.string()),
            ("phase", pa.string()),
            ("config_of", pa.string()),
            ("known_from", pa.string()),
            ("proposal", pa.string()),
            ("status", pa.string()),
            ("reason", pa.string()),
            ("epochs_done", pa.int64()),
            ("seconds", pa.float64()),
            ("started", pa.timestamp("us", tz="UTC")),
            ("attempts", pa.int64()),
            ("host", pa.string()),
            *KNOBS.items(),
        ]
    ),
    "epochs": pa.schema(
        [
            ("trial", pa.string()),
            ("arm", pa.string()),
            ("phase", pa.string()),
            ("seed", pa.int64()),
            ("epoch", pa.int64()),
            ("lr", pa.float64()),
            ("train_loss", pa.float64()),
            ("train_accuracy", pa.float64()),
            ("train_macro_recall", pa.float64()),
            *_metric_columns("val"),
            ("val_best_adjusted_recall", pa.float64()),
            *_metric_columns("test"),
            ("train_seconds", pa.float64()),
            ("eval_seconds", pa.float64()),
        ]
    ),
    "classes": pa.schema(
        [
            ("trial", pa.string()),
            ("arm", pa.string()),
            ("phase", pa.string()),
            ("seed", pa.int64()),
            ("epoch", pa.int64()),
            ("split", pa.string()),
            ("class", pa.int64()),
            ("class_name", pa.string()),
            ("n_train", pa.int64()),
            ("support", pa.int64()),
            ("predicted", pa.int64()),
            ("precision", pa.float64()),
            ("recall", pa.float64()),
            ("f1", pa.float64()),
            ("confusion", pa.list_(pa.int64())),
            ("recall_by_tau", pa.list_(pa.float64())),
        ]
    ),
}
