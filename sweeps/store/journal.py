"""The journal: every row on disk before the trial that it is of goes on.

A line is a CRC-32 and a JSON list of [table, row]: rows that belong together come back together or not at
all. The first line names the Parquet parts that are sealed; the others are rows that are in no sealed
part. A line that is torn or altered is left out, and counted.
"""

import json
import zlib
from collections.abc import Iterable
from typing import Any

from sweeps.store.location import Location

Entry = tuple[str, dict[str, Any]]
SEALED = "sealed"
NAME = "journal"


class Journal:
    """Appends to one file."""

    def __init__(self, place: Location, entries: Iterable[Entry]):
        """Begin the file anew with ``entries``; the old one is there until the new one is whole."""
        place.write(NAME, b"".join(_line([entry]) for entry in entries))
        self._log = place.log(NAME)

    def append(self, entries: list[Entry]) -> None:
        """Write entries that belong together and wait until they are on disk."""
        self._log.append(_line(entries))

    def close(self) -> None:
        self._log.close()


def read(place: Location) -> tuple[list[Entry], int]:
    """Return the whole entries of a journal and the number of lines that are damaged."""
    lines = place.read(NAME).splitlines() if place.names(NAME) else []
    whole = [entries for line in lines if (entries := _entries(line)) is not None]
    return [(table, row) for entries in whole for table, row in entries], len(lines) - len(whole)


def _line(entries: list[Entry]) -> bytes:
    text = json.dumps(entries, default=str).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entries(line: bytes) -> list[Entry] | None:
    crc, _, text = line.partition(b" ")
    return json.loads(text) if crc == b"%08x" % zlib.crc32(text) else None
