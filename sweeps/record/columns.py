"""The columns of the tables, written once. Every knob of the training config is a column of ``trials``."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pyarrow as pa

from sweeps.record.metrics import BEST_ADJUSTED_RECALL, METRICS

KEYS = {"trials": ("trial",), "epochs": ("trial", "epoch"), "classes": ("trial", "class")}
IDENTITY = [("trial", pa.string()), ("arm", pa.string()), ("phase", pa.string()), ("seed", pa.int64())]
TRIALS = [
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
    ("status_before", pa.string()),
    ("epochs_done", pa.int64()),
    ("seconds", pa.float64()),
    ("started", pa.timestamp("us", tz="UTC")),
    ("attempts", pa.int64()),
    ("host", pa.string()),
    ("processor", pa.string()),
]


def _metrics(split: str) -> list[tuple[str, pa.DataType]]:
    return [(f"{split}_{name}", pa.float64()) for name in METRICS]


EPOCHS = [
    *IDENTITY,
    ("epoch", pa.int64()),
    ("lr", pa.float64()),
    ("train_loss", pa.float64()),
    ("train_accuracy", pa.float64()),
    ("train_macro_recall", pa.float64()),
    *_metrics("val"),
    (BEST_ADJUSTED_RECALL, pa.float64()),
    *_metrics("test"),
    ("train_seconds", pa.float64()),
    ("eval_seconds", pa.float64()),
]
CLASSES = [
    *IDENTITY,
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


def schemas(knobs: Mapping[str, Any]) -> dict[str, pa.Schema]:
    """Return the schema of every table; ``knobs``: the type of each knob of the training config by name."""
    columns = [(name, knob_type(kind)) for name, kind in knobs.items()]
    return {
        "trials": pa.schema([*TRIALS, *columns]),
        "epochs": pa.schema(EPOCHS),
        "classes": pa.schema(CLASSES),
    }


def knob_type(kind: Any) -> pa.DataType:
    """Return the column type of a knob: a choice of words is a string, a tuple a list, X | None is X."""
    plain = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    if kind in plain:
        return plain[kind]
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return knob_type(parts[0])
    if origin is tuple:
        return pa.list_(knob_type(parts[0]))
    if origin in (Union, UnionType):
        (own,) = [part for part in parts if part is not type(None)]
        return knob_type(own)
    return pa.string()  # Literal
