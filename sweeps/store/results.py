"""The results folder. Only the driver writes it: a journal line at once, Parquet every few seconds.

    sweep.json     what was asked
    trials/        one row a trial, rewritten as its status changes
    epochs/        one row a trial and epoch
    classes/       one row a trial and class, at the trial's last epoch
    journal        rows that are in no sealed part; gone when the sweep has ended
    checkpoints/   of the trials that are not terminal

Parquet appears by rename, so a file is whole or not there. A part that is full is sealed and never
rewritten; the journal then starts anew.
"""

import json
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lt_core.errors import InputError
from sweeps.record.columns import SCHEMAS
from sweeps.store.checkpoints import CLOSING
from sweeps.store.files import lock, naming, replace
from sweeps.store.journal import SEALED, Journal
from sweeps.store.recovery import Recovered, Row, recover

FLUSH_SECONDS = 5.0
ROWS_PER_PART = 10_000


class Results:
    """Writes one sweep's folder, whose lock it holds until it is closed.

    Attributes:
        trials: every trial's row, by key.
        past: what was there when the folder was opened, and scores and classes counted on from it.
    """

    def __init__(self, folder: Path, resume: bool = False):
        """Create the folder, which must not hold a sweep yet; with ``resume``, go on with the one it holds.

        Raises:
            InputError: it holds one (or none), it is in use, or it cannot be written.
        """
        self.folder = folder
        with naming(folder):
            if not resume and folder.exists() and {path.name for path in folder.iterdir()} - {".lock"}:
                raise InputError(
                    f"{folder} already holds results: go on with --resume, give another --results, or move "
                    "it away"
                )
            for table in SCHEMAS:
                (folder / table).mkdir(parents=True, exist_ok=True)
        self._lock = lock(folder)
        self.past = recover(folder) if resume else Recovered()
        self.trials, self._active, self._sealed = self.past.trials, self.past.active, self.past.sealed
        self._clean()
        self._journal = self._new_journal()
        self._dirty = set(SCHEMAS)
        self.flush()  # every table can be read from the start

    @property
    def checkpoints(self) -> Path:
        return (self.folder / "checkpoints").resolve()

    def describe(self, description: dict[str, Any]) -> None:
        """Write sweep.json."""
        text = json.dumps(description, indent=2, default=str, ensure_ascii=False) + "\n"
        replace(self.folder / "sweep.json", lambda path: path.write_text(text, encoding="utf-8"))

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
            self.trials.setdefault(row["trial"], {}).update(row)
        for table, active in self._active.items():
            active += tables[table]
        self.past.count(tables)
        self._dirty |= {table for table, rows in tables.items() if rows}
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Flush when there are new rows and the last flush is a few seconds old."""
        if self._dirty and time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Bring Parquet up to date with all that was written; trials last, as they point to the rest."""
        for table in sorted(self._dirty):
            rows = list(self.trials.values()) if table == "trials" else self._active[table]
            part = self.folder / table / f"part-{self._sealed.get(table, 0):05d}.parquet"
            arrow = pa.Table.from_pylist(rows, schema=SCHEMAS[table])
            replace(part, partial(pq.write_table, arrow, write_page_checksum=True))
        self._dirty.clear()
        self._flushed = time.monotonic()
        if any(len(rows) >= ROWS_PER_PART for rows in self._active.values()):
            self._seal()

    def _seal(self) -> None:
        """Start new parts. Every row is in Parquet by now, so the journal keeps the trials' rows alone."""
        for table, rows in self._active.items():
            self._sealed[table] += bool(rows)
            rows.clear()
        self._journal.close()
        self._journal = self._new_journal()

    def _new_journal(self) -> Journal:
        tables = {"trials": self.trials.values(), **self._active}
        entries = [(table, row) for table, rows in tables.items() for row in rows]
        return Journal(self.folder / "journal", [(SEALED, self._sealed), *entries])

    def _clean(self) -> None:
        """Drop what a writer that was killed left behind."""
        (self.checkpoints / CLOSING).unlink(missing_ok=True)
        if self.checkpoints.exists() and not any(self.checkpoints.iterdir()):
            self.checkpoints.rmdir()
        for temporary in self.folder.rglob(".*.tmp"):
            temporary.unlink(missing_ok=True)

    def ask_for_checkpoints(self) -> None:
        """Let every trial that runs write a checkpoint at the end of its epoch."""
        with naming(self.checkpoints):
            self.checkpoints.mkdir(exist_ok=True)
            (self.checkpoints / CLOSING).touch()

    def drop_checkpoints(self, trial: str) -> None:
        shutil.rmtree(self.checkpoints / trial, ignore_errors=True)

    def close(self) -> None:
        """Flush what is left; the journal is no longer needed then."""
        self._clean()
        self.flush()
        self._journal.close()
        (self.folder / "journal").unlink()
        self._lock.close()

    def __reduce__(self) -> Any:
        # Ray pickles its callbacks on the way; nobody may write through such a copy.
        return (object, ())
