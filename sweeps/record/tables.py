"""Reading the Parquet tables of a results folder, of this version or an older one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.record.versions import upgrade_table


def read_part(name: str, source: Any) -> pa.Table:
    """Read a part of the table ``name`` from a path or a buffer, checksums and all, with today's names.

    Raises:
        ValueError: it is damaged; its one line says how.
    """
    try:
        return upgrade_table(name, pq.read_table(source, page_checksum_verification=True))
    except (OSError, pa.ArrowException) as error:
        raise ValueError(str(error).partition("\n")[0]) from None


def parts(folder: Path, name: str) -> Iterator[tuple[Path, pa.Table | ValueError]]:
    """Yield every part of a table, or what is wrong with it."""
    for path in sorted((folder / name).glob("part-*.parquet")):
        try:
            yield path, read_part(name, path)
        except ValueError as error:
            yield path, error


def joined(found: list[pa.Table]) -> pa.Table:
    """Join parts; a column that an older part does not have is null there."""
    return pa.concat_tables(found, promote_options="default")
