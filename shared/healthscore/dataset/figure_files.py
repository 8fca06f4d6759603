"""The files with the figures of nights, one a month: a row for each night and group of accounts."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthscore.core.dataset import layout
from healthscore.core.dataset.figures import BANDS
from healthscore.dataset import bucket
from healthscore.dataset.database import open_database

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import duckdb

ALL = "all"
"""What the rows of a night without groups are grouped by."""
_TYPES = {
    "night": "DATE",
    "run": "VARCHAR",
    "before": "VARCHAR",
    "by": "VARCHAR",
    "group": "VARCHAR",
    "others": "BOOLEAN",
    "accounts": "BIGINT",
    "arr": "DOUBLE",
    **dict.fromkeys(BANDS, "BIGINT"),
    **{f"{band}_arr": "DOUBLE" for band in BANDS},
    "moves": "VARCHAR",
    "alerts": "VARCHAR",
}
"""The columns of a file; the last two are JSON."""
_NAMES = ", ".join(f'"{name}"' for name in _TYPES)
_READ = ", ".join(f'"{name}"::VARCHAR' if name == "night" else f'"{name}"' for name in _TYPES)
_ORDER = '"night", "by", "others", "accounts" DESC, "group" NULLS LAST'
Row = dict[str, Any]


def parquet(of: Iterable[Row], database: duckdb.DuckDBPyConnection, folder: Path) -> bytes:
    """A file of rows."""
    lines, made = folder / "rows.ndjson", folder / "month.parquet"
    lines.write_text("".join(json.dumps(row) + "\n" for row in of), encoding="utf-8")
    types = ", ".join(f"'{name}': '{type_}'" for name, type_ in _TYPES.items())
    source = f"read_json(['{lines}'], format = 'newline_delimited', columns = {{{types}}})"
    database.execute(
        f"COPY (SELECT {_NAMES} FROM {source} ORDER BY {_ORDER}) TO '{made}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return made.read_bytes()


def rows(database: duckdb.DuckDBPyConnection, folder: Path, files: Iterable[bytes], where: str = "true") -> list[Row]:
    """The rows of files for which a condition holds, night by night, the largest groups first."""
    paths = []
    for number, data in enumerate(files):
        paths.append(folder / f"read-{number}.parquet")
        paths[-1].write_bytes(data)
    if not paths:
        return []
    names = ", ".join(f"'{path}'" for path in paths)
    found = database.execute(
        f"SELECT {_READ} FROM read_parquet([{names}], union_by_name = true) WHERE {where} ORDER BY {_ORDER}"
    ).fetchall()
    named = [dict(zip(_TYPES, values, strict=True)) for values in found]
    return [{**row, "moves": json.loads(row["moves"]), "alerts": json.loads(row["alerts"])} for row in named]


def read(first: date, last: date, by: str) -> list[Row]:
    """The figures of the nights of a stretch: of all accounts, and by groups.

    Args:
        first: the first night.
        last: the last night.
        by: what the groups have in common; `ALL` for no groups.

    Raises:
        StorageUnavailableError: the bucket cannot be read now.
    """
    names = [
        name for name in bucket.keys(layout.NIGHTS) if layout.nights_name(first) <= name <= layout.nights_name(last)
    ]
    files = [found.data for found in map(bucket.get, names) if found is not None]
    with tempfile.TemporaryDirectory(prefix="nights-") as folder, closing(open_database(Path(folder))) as database:
        where = (
            f"night BETWEEN DATE '{first.isoformat()}' AND DATE '{last.isoformat()}' AND \"by\" IN ('{ALL}', '{by}')"
        )
        return rows(database, Path(folder), files, where)
