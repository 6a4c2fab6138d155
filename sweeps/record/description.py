"""sweep.json: what was asked of a sweep, on what, with what. Typed, versioned, validated when it is read."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from sweeps.record.errors import RecordError
from sweeps.record.metrics import DIRECTION, METRICS, SELECTION_METRIC
from sweeps.record.versions import VERSION, upgrade_description


class Record(BaseModel):
    """Part of sweep.json. What a newer version adds is not lost sight of: it is refused by its number."""

    model_config = ConfigDict(frozen=True)


class DataRecord(Record):
    """The data: its name in tables, the benchmark that it is (a copy of), its digest, its classes."""

    name: str
    benchmark: str | None = None
    source: str = ""
    fingerprint: str = ""
    class_names: list[str] = []


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
    epochs: int
    knobs: dict[str, Any] = {}
    train_counts: list[int] = []


class QuestionRecord(Record):
    """What a pair of arms answers."""

    ask: str
    arm: str
    against: str


class Description(Record):
    """sweep.json.

    Attributes:
        trials: search trials of a searched arm; seeds: final runs of an arm.
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
    data: DataRecord
    preset: str | None = None
    trials: int
    seeds: int
    seed: int = 0
    arms: list[ArmRecord]
    questions: list[QuestionRecord] = []
    published: str | None = None
    published_baseline: float | None = None
    frontier_of: str | None = None
    taus: list[float] = []
    notes: list[str] = []
    versions: dict[str, str] = {}
    git: str | None = None
    file: str | None = None


def read_description(folder: Path) -> Description:
    """Read the sweep.json of a results folder, of this version or an older one.

    Raises:
        RecordError: there is none, or it is damaged, or of a newer version.
    """
    path = folder / "sweep.json"
    try:
        return parse_description(path.read_bytes())
    except OSError as error:
        raise RecordError(f"{folder} holds no sweep: {error.strerror} (sweep.json)") from None
    except ValueError as error:
        raise RecordError(f"{path} {error}") from None


def parse_description(content: bytes) -> Description:
    """Return the description in ``content``; raise ValueError, which says what is wrong with it."""
    try:
        about = json.loads(content)
        if not isinstance(about, dict):
            raise ValueError("is damaged: it holds no description of a sweep")
        number = about.get("version", 1)
        if isinstance(number, int) and number > VERSION:
            raise ValueError(f"is of version {number}, this code reads up to {VERSION}: update it")
        return Description.model_validate(upgrade_description(about))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"is damaged: {first['msg']} {where}".strip()) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is damaged: {error}") from None
    except (AttributeError, TypeError) as error:  # another shape altogether, met on the way to today's names
        raise ValueError(f"is damaged: {error}") from None
