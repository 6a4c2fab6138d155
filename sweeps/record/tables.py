"""Reading the Parquet tables of a results folder, of this version or an older one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.record.errors import RecordError
from sweeps.record.remote import reading
from sweeps.record.versions import upgrade_table


def read_part(name: str, source: Any) -> pa.Table:
    """Read a part of the table ``name`` from a buffer, checksums and all, with today's names.

    Raises:
        ValueError: it is damaged; its one line says how.
    """
    try:
        return upgrade_table(name, pq.read_table(source, page_checksum_verification=True))
    except (OSError, pa.ArrowException) as error:
        raise ValueError(str(error).partition("\n")[0]) from None


def parts(folder: Path, name: str) -> Iterator[tuple[Path, pa.Table | ValueError]]:
    """Yield every part of a table, or what is wrong with it.

    Raises:
        RecordError: its store does not answer, or refuses.
    """
    with reading(folder):
        found = sorted((folder / name).glob("part-*.parquet"))
    for path in found:
        yield path, _whole(name, path)


def _whole(name: str, path: Path) -> pa.Table | ValueError:
    try:
        with reading(path):
            content = path.read_bytes()
        return read_part(name, pa.BufferReader(content))
    except RecordError:
        raise
    except (OSError, ValueError) as error:
        return ValueError(str(error).partition("\n")[0])


def joined(found: list[pa.Table]) -> pa.Table:
    """Join parts; a column that an older part does not have is null there."""
    return pa.concat_tables(found, promote_options="default")
