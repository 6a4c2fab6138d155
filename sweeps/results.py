"""The results folder. Only the driver writes it: a journal line at once, Parquet every few seconds.

    sweep.json   what was asked
    trials/      one row a trial, rewritten as its status changes
    epochs/      one row a trial and epoch
    classes/     one row a trial and class, at the trial's last epoch
    journal.jsonl  rows that are not in a sealed part yet

Parquet appears by rename, so a file is whole or not there. A part that is full is sealed and never
rewritten; the journal then starts anew.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lt_core.errors import InputError
from sweeps.columns import SCHEMAS

FOLD_SECONDS = 5.0
ROWS_PER_PART = 10_000


class Results:
    """Writes one sweep's folder. Not for two writers at once."""

    def __init__(self, folder: Path):
        """Create the folder, which must not hold a sweep yet.

        Raises:
            InputError: it does, or it cannot be written.
        """
        self.folder = folder
        try:
            if folder.exists() and any(folder.iterdir()):
                raise InputError(f"{folder} already holds results: give another --results, or move it away")
            for table in SCHEMAS:
                (folder / table).mkdir(parents=True, exist_ok=True)
            self._journal = open(folder / "journal.jsonl", "a")  # noqa: SIM115  (open until close)
        except OSError as error:
            raise InputError(f"cannot write results to {folder}: {error.strerror}") from None
        self._trials: dict[str, dict[str, Any]] = {}
        self._active: dict[str, list[dict[str, Any]]] = {"epochs": [], "classes": []}
        self._sealed = {"epochs": 0, "classes": 0}
        self._dirty = set(SCHEMAS)
        self.fold()  # every table can be read from the start

    def describe(self, description: dict[str, Any]) -> None:
        """Write sweep.json."""
        text = json.dumps(description, indent=2, default=str, ensure_ascii=False) + "\n"
        _replace(self.folder / "sweep.json", lambda path: path.write_text(text, encoding="utf-8"))

    def trial(self, row: dict[str, Any]) -> None:
        """Add a trial's row or change columns of it; ``row`` must hold its key, ``trial``."""
        self._trials.setdefault(row["trial"], {}).update(row)
        self._write("trials", [row])

    def add(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Append rows to epochs or classes."""
        self._active[table] += rows
        self._write(table, rows)

    def _write(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        lines = "".join(json.dumps([table, row], default=str) + "\n" for row in rows)
        with _named(self.folder / "journal.jsonl"):
            self._journal.write(lines)
            self._journal.flush()
            os.fsync(self._journal.fileno())
        self._dirty.add(table)
        self.fold_if_due()

    def fold_if_due(self) -> None:
        """Fold when there are new rows and the last fold is a few seconds old."""
        if self._dirty and time.monotonic() - self._folded > FOLD_SECONDS:
            self.fold()

    def fold(self) -> None:
        """Bring Parquet up to date with everything that was written."""
        for table in sorted(self._dirty):
            rows = list(self._trials.values()) if table == "trials" else self._active[table]
            part = self.folder / table / f"part-{self._sealed.get(table, 0):05d}.parquet"
            arrow = pa.Table.from_pylist(rows, schema=SCHEMAS[table])
            _replace(part, lambda path, arrow=arrow: pq.write_table(arrow, path))
        self._dirty.clear()
        self._folded = time.monotonic()
        if any(len(rows) >= ROWS_PER_PART for rows in self._active.values()):
            self._seal()

    def _seal(self) -> None:
        """Start new parts. Every row is in Parquet by now, so the journal keeps the trials' rows alone."""
        for table, rows in self._active.items():
            self._sealed[table] += bool(rows)
            rows.clear()
        self._journal.close()
        lines = "".join(json.dumps(["trials", row], default=str) + "\n" for row in self._trials.values())
        _replace(self.folder / "journal.jsonl", lambda path: path.write_text(lines))
        self._journal = open(self.folder / "journal.jsonl", "a")  # noqa: SIM115

    def close(self) -> None:
        """Fold what is left; the journal is no longer needed then."""
        self.fold()
        self._journal.close()
        (self.folder / "journal.jsonl").unlink()

    def __reduce__(self) -> Any:
        # Ray pickles its callbacks on the way; nobody may write through such a copy.
        return (object, ())


def _replace(path: Path, write: Any) -> None:
    """Write a file beside ``path``, flush it to disk, then rename it into place."""
    temporary = path.with_name(f".{path.name}.tmp")
    with _named(path):
        write(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn a failure to write (a full disk, say) into a line that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; what is there stays good") from None
