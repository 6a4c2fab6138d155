"""What a results folder holds after whatever happened to its writer."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lt_core.errors import InputError
from sweeps.record.columns import KEYS
from sweeps.record.metrics import RUNG_METRIC, SELECTION_METRIC
from sweeps.record.names import is_plain
from sweeps.record.states import Status
from sweeps.record.tables import read_part
from sweeps.record.versions import upgrade_row
from sweeps.store import journal
from sweeps.store.location import Location
from sweeps.store.schemas import SCHEMAS, with_defaults

Row = dict[str, Any]
NEEDED = {  # columns that are never null
    "trials": ("trial", "arm", "phase", "status", "epochs_done"),
    "epochs": ("trial", "epoch"),
    "classes": ("trial", "class"),
}
GOING_ON = [status for status in Status if not status.terminal]


@dataclass
class Recovered:
    """The rows of Parquet and journal together, each once.

    Attributes:
        trials: by key, in order of arrival.
        scores: validation macro recall by trial and epoch.
        rung_scores: what ASHA compares, by trial and epoch.
        epochs: whole rows by trial and epoch, of the trials that something is missing of.
        classes: number of rows in the classes table, by trial.
        active: rows that are in no sealed part.
        sealed: number of the part that comes next, by table.
        notes: a line for each damaged file.
        statuses: number of trials by arm and status.
    """

    trials: dict[str, Row] = field(default_factory=dict)
    scores: dict[str, dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))
    rung_scores: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    epochs: dict[str, dict[int, Row]] = field(default_factory=lambda: defaultdict(dict))
    classes: Counter[str] = field(default_factory=Counter)
    active: dict[str, list[Row]] = field(default_factory=lambda: {"epochs": [], "classes": []})
    sealed: dict[str, int] = field(default_factory=lambda: {"epochs": 0, "classes": 0})
    notes: list[str] = field(default_factory=list)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)

    def change(self, row: Row) -> None:
        """Take columns of a trial's row, which may be new."""
        known = self.trials.setdefault(row["trial"], {})
        if known:
            self.statuses[known["arm"], known["status"]] -= 1
        known.update(row)
        self.statuses[known["arm"], known["status"]] += 1

    def count(self, tables: dict[str, list[Row]]) -> None:
        """Take note of rows of the epochs and classes tables."""
        for row in tables["epochs"]:
            self.scores[row["trial"]][row["epoch"]] = row.get(SELECTION_METRIC)
            if row.get(RUNG_METRIC) is not None:
                self.rung_scores[row["trial"]][row["epoch"]] = row[RUNG_METRIC]
        self.classes.update(row["trial"] for row in tables["classes"])

    def unfinished(self, trial: str) -> bool:
        return trial not in self.trials or self.trials[trial]["status"] in GOING_ON

    def reported(self, trial: str) -> list[float]:
        """Return the scores of a trial's epochs from the first on, up to the first that is missing."""
        scores, found = self.scores[trial], list[float]()
        while len(found) + 1 in scores:
            found.append(scores[len(found) + 1])
        return found

    def incomplete(self, trial: str) -> bool:
        """Whether a terminal trial has lost rows of the epochs or classes table that are needed."""
        row = self.trials[trial]
        if row["status"] in (Status.FAILED, Status.SUPERSEDED):
            return False
        done, found = row["epochs_done"], set(self.scores[trial])
        lost_epochs = found - {0} != set(range(1, done + 1))
        lost_epochs |= done > 0 and bool(row.get("evaluate_untrained")) and 0 not in found
        # A run that has diverged may have done so before its first evaluation.
        return lost_epochs or (done > 0 and row["status"] != Status.DIVERGED and not self.classes[trial])


def recover(place: Location) -> Recovered:
    """Read everything that is whole; damaged Parquet files are moved aside, never deleted. Parts of an older
    version get today's columns.

    Raises:
        InputError: a trial's key would lead out of the folder, or its status is unknown.
    """
    found = Recovered()
    entries, damaged = journal.read(place)
    entries = [(table, upgrade_row(table, row)) for table, row in entries]
    _check_entries(place, entries)
    if damaged:
        where = f"{place}/{journal.NAME}"
        found.notes.append(f"{where}: {damaged} damaged lines are left out; what they held is measured again")
    parts = {table: _parts(place, table, found.notes) for table in SCHEMAS}
    if entries and entries[0][0] == journal.SEALED:
        found.sealed = entries[0][1]
    else:
        found.sealed = {table: max(parts[table], default=0) for table in found.sealed}  # the last goes on
    _merge_trials(found, parts["trials"], entries)
    for trial, row in found.trials.items():
        if not is_plain(trial):  # its checkpoints would be outside
            raise InputError(f"{place}/trials: {trial!r} is not the key of a trial")
        if row.get("status") not in [*Status]:
            raise InputError(
                f"{place}/trials: {trial} has the status {row.get('status')!r}, none of {[*map(str, Status)]}"
            )
        if row["status"] == Status.RUNNING:  # its writer is gone
            row["status"] = Status.INTERRUPTED
        row.update(dict.fromkeys(SCHEMAS["trials"].names) | row | with_defaults(row))
        found.statuses[row["arm"], row["status"]] += 1
    check_rows(f"{place}/trials", "trials", list(found.trials.values()))
    for table in found.active:
        _merge(found, table, parts[table], [row for name, row in entries if name == table])
    for trial, row in found.trials.items():
        going_on = found.unfinished(trial) or found.incomplete(trial) or row["status"] == Status.SUPERSEDED
        if trial in found.epochs and not going_on:
            del found.epochs[trial]
    return found


def _check_entries(place: Location, entries: list[journal.Entry]) -> None:
    """Refuse a journal whose lines are whole and yet none that a sweep writes."""
    where = f"{place}/{journal.NAME}"
    for table, row in entries:
        known = table in SCHEMAS or table == journal.SEALED
        if (
            not known
            or not isinstance(row, dict)
            or (table in SCHEMAS and not isinstance(row.get("trial"), str))
        ):
            raise InputError(f"{where}: a line that no sweep writes, of {table!r}")
        try:
            if table == "trials" and row.get("started"):
                row["started"] = datetime.fromisoformat(row["started"])
        except (TypeError, ValueError):
            raise InputError(f"{where}: {row['trial']} started at {row['started']!r}, no time") from None
    for table in ("epochs", "classes"):
        check_rows(where, table, [row for name, row in entries if name == table])


def check_rows(where: str, table: str, rows: list[Row]) -> None:
    """Refuse rows whose values are not of their columns' types, or that lack what every row has."""
    for row in rows:
        if lacks := [column for column in NEEDED[table] if row.get(column) is None]:
            raise InputError(f"{where}: a row of {row.get('trial')} has no {lacks[0]}")
    try:
        pa.Table.from_pylist(rows, schema=SCHEMAS[table])
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where}: a row that no sweep writes: {' '.join(str(error).split())}") from None


def parquet(table: str, rows: list[Row]) -> bytes:
    """Return a part that holds the rows."""
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMAS[table]), buffer, write_page_checksum=True)
    return buffer.getvalue().to_pybytes()


def _parts(place: Location, table: str, notes: list[str]) -> dict[int, list[Row]]:
    """Return the rows of every part by its number."""
    parts = {}
    for name in place.names(f"{table}/part-*.parquet"):
        path = PurePosixPath(name)
        try:
            content = pa.BufferReader(place.read(name))
            rows = read_part(table, content).to_pylist()
        except InputError:  # the place does not answer: that says nothing of the part
            raise
        except (ValueError, OSError) as error:
            aside = path.with_name(f"_damaged-{time.time_ns()}-{path.name}")
            place.rename(name, str(aside))
            notes.append(
                f"{place}/{name} is damaged ({error}), now {aside.name}; what it held is measured again"
            )
            continue
        parts[int(path.stem.partition("-")[2])] = rows
        if not set(SCHEMAS[table].names) <= set(pq.read_schema(content).names):  # of an older version
            place.write(name, parquet(table, rows))
    return parts


def _merge_trials(found: Recovered, parts: dict[int, list[Row]], entries: list[journal.Entry]) -> None:
    written = {row["trial"]: row for rows in parts.values() for row in rows}
    for table, change in entries:
        if table == "trials":
            found.trials.setdefault(change["trial"], {}).update(change)
    for trial, row in written.items():
        # A journal that lost its end is older than Parquet; one that lost lines has rows without a head.
        known = found.trials.get(trial, {})
        older = known.get("status") in GOING_ON and row["status"] not in GOING_ON
        if "arm" not in known or older:
            found.trials[trial] = row
    for trial in [trial for trial, row in found.trials.items() if "arm" not in row]:
        del found.trials[trial]


def _merge(found: Recovered, table: str, parts: dict[int, list[Row]], journaled: list[Row]) -> None:
    """Take every row once; the classes of a trial that is not terminal come again with that end."""
    active: dict[tuple, Row] = {}
    for number, rows in sorted(parts.items()):
        if number < found.sealed[table]:
            _take(found, table, rows)
        else:
            active |= {_key(table, row): row for row in rows}
    # A journal without its first line may repeat what is in a part.
    active |= {_key(table, row): row for row in journaled if not _sealed(found, table, row)}
    # Trials are flushed last: rows of one that is not known were written by a writer that was killed before.
    known = [row for row in active.values() if row["trial"] in found.trials]
    kept = [row for row in known if table == "epochs" or not found.unfinished(row["trial"])]
    _take(found, table, kept)
    found.active[table] = kept


def _sealed(found: Recovered, table: str, row: Row) -> bool:
    if table == "epochs":
        return row["epoch"] in found.scores[row["trial"]]
    return found.classes[row["trial"]] > 0


def _take(found: Recovered, table: str, rows: list[Row]) -> None:
    found.count({"epochs": [], "classes": []} | {table: rows})
    if table == "epochs":
        for row in rows:
            found.epochs[row["trial"]][row["epoch"]] = row


def _key(table: str, row: Row) -> tuple:
    return tuple(row[column] for column in KEYS[table])
