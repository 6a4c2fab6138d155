"""The results folder. Only the driver writes it: a journal line at once, Parquet every few seconds.

    sweep.json     what was asked
    trials/        one row a trial, rewritten as its status changes
    epochs/        one row a trial and epoch
    classes/       one row a trial and class, at the trial's last epoch
    journal        rows that are in no sealed part; gone when the sweep has ended
    checkpoints/   of the trials that are not terminal
    weights/       of the trials that keep theirs

A file is whole or not there. A part that is full is sealed and never rewritten; the journal then starts anew.
"""

import time
from pathlib import Path
from typing import Any

from lt_core.errors import InputError
from sweeps.record.description import Description
from sweeps.store import journal
from sweeps.store.checkpoints import CLOSING, checkpoints_of
from sweeps.store.location import Folder, Location
from sweeps.store.recovery import Recovered, Row, parquet, recover
from sweeps.store.schemas import SCHEMAS
from sweeps.store.taken import refuse_taken

FLUSH_SECONDS, FLUSH_SHARE = 5.0, 0.02  # between two flushes at least; of the time, at most
OURS = (*SCHEMAS, journal.NAME, "checkpoints", "weights")
ROWS_PER_PART = 10_000


class Results:
    """Writes one sweep's folder, whose lock it holds until it is closed.

    Attributes:
        trials: every trial's row, by key.
        past: what was there when the folder was opened, and scores and classes counted on from it.
    """

    def __init__(self, place: Location | Path, resume: bool = False):
        """Take a place that holds no sweep yet; with ``resume``, go on with the one that it holds.

        Raises:
            InputError: it holds one (or none), it is in use, or it cannot be written.
        """
        self.place: Location = Folder(place) if isinstance(place, Path) else place
        self._lock = self.place.lock()
        try:
            if not resume:
                self._clear_what_never_began()
            self.past = recover(self.place) if resume else Recovered()
        except InputError:
            self._lock.close()
            raise
        self.trials, self._active, self._sealed = self.past.trials, self.past.active, self.past.sealed
        self._clean()
        self._journal = self._new_journal()
        self._dirty = set(SCHEMAS)
        self.flush()  # every table can be read from the start

    def describe(self, description: Description) -> None:
        """Write sweep.json."""
        text = description.model_dump_json(indent=2) + "\n"
        self.place.write("sweep.json", text.encode())

    def write(
        self,
        *,
        epochs: list[Row] | None = None,
        classes: list[Row] | None = None,
        trials: list[Row] | None = None,
    ) -> None:
        """Write rows together: all are on disk when this returns.

        Rows of epochs and classes are new; a row of trials changes the columns that it holds.
        """
        tables = {"epochs": epochs or [], "classes": classes or [], "trials": trials or []}
        self._journal.append([(table, row) for table, rows in tables.items() for row in rows])
        for row in tables["trials"]:
            self.past.change(row)
        for table, active in self._active.items():
            active += tables[table]
        self.past.count(tables)
        self._dirty |= {table for table, rows in tables.items() if rows}
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Flush when there are new rows and the last flush is a few seconds old; more where it took long."""
        if self._dirty and time.monotonic() > self._due:
            self.flush()

    def flush(self) -> None:
        """Bring Parquet up to date with all that was written; trials last, as they point to the rest."""
        began = time.monotonic()
        for table in sorted(self._dirty):
            rows = list(self.trials.values()) if table == "trials" else self._active[table]
            self.place.write(f"{table}/part-{self._sealed.get(table, 0):05d}.parquet", parquet(table, rows))
        self._dirty.clear()
        ended = time.monotonic()
        self._due = ended + max(FLUSH_SECONDS, (ended - began) / FLUSH_SHARE)
        if any(len(rows) >= ROWS_PER_PART for rows in self._active.values()):
            self._seal()

    def _seal(self) -> None:
        """Start new parts. Every row is in Parquet by now, so the journal keeps the trials' rows alone."""
        for table, rows in self._active.items():
            self._sealed[table] += bool(rows)
            rows.clear()
        self._journal.close()
        self._journal = self._new_journal()

    def _new_journal(self) -> journal.Journal:
        tables = {"trials": self.trials.values(), **self._active}
        entries = [(table, row) for table, rows in tables.items() for row in rows]
        return journal.Journal(self.place, [(journal.SEALED, self._sealed), *entries])

    def _clear_what_never_began(self) -> None:
        """Make way where a start was killed before sweep.json was there: no trial can have run by then."""
        refuse_taken(self.place)
        there = [name for name in self.place.names("*") if not name.endswith(".tmp")]
        foreign = [name for name in there if name not in OURS]
        ran = [key for key, row in recover(self.place).trials.items() if row.get("known_from") is None]
        if foreign or ran:
            what = foreign[0] if foreign else "trials without their sweep.json"
            remedy = "give another --results, or move it away"
            raise InputError(f"{self.place} holds {what}, and no sweep: {remedy}")
        for name in self.place.names("*"):
            self.place.remove(name)

    def _clean(self) -> None:
        """Drop what a writer that was killed left behind."""
        self.place.remove(CLOSING)
        if not self.place.names("checkpoints/*"):
            self.place.remove("checkpoints")
        for pattern in (".*.tmp", "*/.*.tmp", "*/*/.*.tmp"):
            for temporary in self.place.names(pattern):
                self.place.remove(temporary)

    def ask_for_checkpoints(self) -> None:
        """Let every trial that runs write a checkpoint at the end of its epoch."""
        self.place.write(CLOSING, b"")

    def drop_checkpoints(self, trial: str) -> None:
        self.place.remove(checkpoints_of(trial))

    def close(self) -> None:
        """Flush what is left; the journal is no longer needed then."""
        self._clean()
        self.flush()
        self._journal.close()
        self.place.remove(journal.NAME)
        self._lock.close()

    def abandon(self) -> None:
        """Let go of the folder as it is, as a writer that was killed does."""
        self._journal.close()
        self._lock.close()

    def __reduce__(self) -> Any:
        # Ray pickles its callbacks on the way; nobody may write through such a copy.
        return (object, ())
