"""sweep.json: what was asked of a sweep, on what, with what. Typed, versioned, validated when it is read."""

import errno
import json
import os
from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from sweeps.record.errors import RecordError
from sweeps.record.metrics import DIRECTION, METRICS, SELECTION_METRIC
from sweeps.record.remote import reading
from sweeps.record.versions import VERSION, upgrade_description

OPTIONS: dict[str, Any] = {  # of the command line, that --resume goes on with
    "warm_start": str | None,
    "dataset": str,
    "preset": str | None,
    "data_dir": str,
    "trials": int | None,
    "epochs": int | None,
    "seeds": int | None,
    "checkpoint_every": float,
    "epoch_limit": float | None,
    "max_concurrent": int | None,
    "cpus_per_trial": float,
    "gpus_per_trial": float | None,
    "seed": int,
    "set": list[str],
    "add": list[str],
}


class Record(BaseModel):
    """Part of sweep.json. What a newer version adds is not lost sight of: it is refused by its number."""

    model_config = ConfigDict(frozen=True)


class DataRecord(Record):
    """The data: its name in tables, the benchmark that it is (a copy of), its digest, its classes."""

    name: str
    benchmark: str | None = None
    source: str = ""
    fingerprint: str = ""
    class_names: list[str] = Field(min_length=1)


class SpaceRecord(Record):
    """What a search drew a knob from, in words, and the value (beside None) that means off."""

    text: str
    off: Any = None


class ArmRecord(Record):
    """A row of the comparison.

    Attributes:
        searched: by knob.
        knobs: every knob of the config, by name; searched ones at their hand-picked values.
        train_counts: images by class in final runs.
    """

    name: str
    label: str
    baseline: str | None = None
    published: str | None = None
    searched: dict[str, SpaceRecord] = {}
    epochs: PositiveInt
    knobs: dict[str, Any] = {}
    train_counts: list[PositiveInt]


class QuestionRecord(Record):
    """What a pair of arms answers."""

    ask: str
    arm: str
    against: str


class Description(Record):
    """sweep.json.

    Attributes:
        trials: search trials of a searched arm; seeds: final runs of an arm.
        stopping: the rule of early stopping; empty: not on record.
        taus: of the post-hoc adjustments in the classes table's recall_by_tau.
        file: digest of an experiment file of the user's own.
    """

    version: int = VERSION
    experiment: str
    about: str = ""
    options: dict[str, Any] = {}
    metric: str = SELECTION_METRIC
    direction: str = DIRECTION
    metrics: dict[str, str] = METRICS
    stopping: str = ""
    data: DataRecord
    preset: str | None = None
    trials: int
    seeds: int
    seed: int = 0
    arms: list[ArmRecord] = Field(min_length=1)
    questions: list[QuestionRecord] = []
    published: str | None = None
    published_baseline: float | None = None
    frontier_of: str | None = None
    taus: list[float] = []
    notes: list[str] = []
    versions: dict[str, str] = {}
    git: str | None = None
    file: str | None = None

    @field_validator("options")
    @classmethod
    def _of_their_types(cls, options: dict[str, Any]) -> dict[str, Any]:
        for name in [name for name in OPTIONS if name in options]:
            try:
                TypeAdapter(OPTIONS[name]).validate_python(options[name], strict=True)
            except ValidationError as error:
                raise ValueError(f"{name}={options[name]!r}: {error.errors()[0]['msg']}") from None
        return options

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names, classes = {arm.name for arm in self.arms}, len(self.data.class_names)
        mentioned = {self.frontier_of, *(arm.baseline for arm in self.arms)} - {None}
        mentioned |= {name for question in self.questions for name in (question.arm, question.against)}
        if gone := mentioned - names:
            raise ValueError(f"there is no arm {min(map(str, gone))!r}")
        for arm in self.arms:
            if len(arm.train_counts) != classes:
                raise ValueError(f"arm {arm.name!r} has {len(arm.train_counts)} class counts, not {classes}")
        if self.frontier_of and 1.0 not in self.taus:
            raise ValueError("the frontier is read at tau 1, which taus lack")
        return self


def read_description(folder: Path) -> Description:
    """Read the sweep.json of a results folder, of this version or an older one.

    Raises:
        RecordError: there is none, or it is damaged, or of a newer version.
    """
    path = folder / "sweep.json"
    try:
        with reading(folder):
            return parse_description(path.read_bytes())
    except FileNotFoundError:
        why = os.strerror(errno.ENOENT)  # a store's error does not always say so
        raise RecordError(f"{folder} holds no sweep: {why} (sweep.json)") from None
    except OSError as error:
        raise RecordError(f"{folder} holds no sweep: {error.strerror} (sweep.json)") from None
    except RecordError:
        raise
    except ValueError as error:
        raise RecordError(f"{path} {error}") from None


def parse_description(content: bytes) -> Description:
    """Return the description in ``content``; raise ValueError, one line that says what is wrong with it."""
    try:
        about = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is damaged: {error}") from None
    if not isinstance(about, dict):
        raise ValueError("is damaged: it holds no description of a sweep")
    number = about.get("version", 1)
    if type(number) is not int:
        raise ValueError(f"is damaged: version {number!r} is no whole number")
    if number > VERSION:
        raise ValueError(f"is of version {number}, this code reads up to {VERSION}: update it")
    try:
        about = upgrade_description(about)
    except (AttributeError, TypeError):  # some field is of another type: which one is said below
        about["version"] = VERSION
    try:
        return Description.model_validate(about)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        wrong = f"{first['msg'].removeprefix('Value error, ')} {where}"
        raise ValueError(f"is damaged: {' '.join(wrong.split())}") from None
