"""The selection rule. It reads validation columns only: no other metric is ever loaded here."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.record.metrics import SELECTION_METRIC
from sweeps.record.states import Phase, Status
from sweeps.store.location import Location
from sweeps.store.schemas import KNOBS

TRIAL_COLUMNS = ["trial", "arm", "phase", "config_of", "status", *KNOBS]
EPOCH_COLUMNS = ["trial", "epoch", SELECTION_METRIC]


def shortlist(place: Location, arm: str, size: int) -> list[str]:
    """Return the keys of the arm's best search trials: longest run first, then by validation macro
    recall at the last epoch, the earlier trial on a tie. Diverged and failed trials cannot enter, nor
    can a configuration twice."""
    last = _last_scores(place)
    candidates: dict[str, str] = {}  # by configuration
    for row in _trials(place, arm, Phase.SEARCH):
        if row["status"] in (Status.FINISHED, Status.STOPPED) and row["trial"] in last:
            candidates.setdefault(str([row[knob] for knob in KNOBS]), row["trial"])
    return sorted(candidates.values(), key=lambda trial: last[trial], reverse=True)[:size]


def choose(place: Location, arm: str, among: list[str]) -> str | None:
    """Return the search trial ``among`` the shortlisted whose configuration did best when it was run
    again on fresh seeds: the highest mean validation macro recall at the last epoch, where a run that
    did not end counts as 0. None: no run ended."""
    last = _last_scores(place)
    scores: dict[str, list[float]] = {}
    for row in _trials(place, arm, Phase.CONFIRM):
        if row["config_of"] not in among:
            continue
        score = last[row["trial"]][1] if row["status"] == Status.FINISHED else 0.0
        scores.setdefault(row["config_of"], []).append(score)
    if not any(map(any, scores.values())):
        return None
    return max(scores, key=lambda origin: sum(scores[origin]) / len(scores[origin]))


def _trials(place: Location, arm: str, phase: Phase) -> list[dict]:
    rows = _read(place, "trials", TRIAL_COLUMNS)
    return sorted(
        (row for row in rows if (row["arm"], row["phase"]) == (arm, phase)), key=lambda row: row["trial"]
    )


def _last_scores(place: Location) -> dict[str, tuple[int, float]]:
    """Return (epoch, validation macro recall) of each trial's last epoch."""
    last: dict[str, tuple[int, float]] = {}
    for row in _read(place, "epochs", EPOCH_COLUMNS):
        if row[SELECTION_METRIC] is not None and row["epoch"] > last.get(row["trial"], (0, 0))[0]:
            last[row["trial"]] = (row["epoch"], row[SELECTION_METRIC])
    return last


def _read(place: Location, table: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    for name in place.names(f"{table}/part-*.parquet"):
        yield from pq.read_table(pa.BufferReader(place.read(name)), columns=columns).to_pylist()
