"""DuckDB in a folder of this machine: it reads and writes nothing outside of it, and loads no extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from healthscore.core.dataset.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MEMORY = "600MB"
"""What DuckDB may hold in memory; the rest goes to the folder."""
COLUMN_TYPES = ", ".join(f'"{column.name}" {column.type.value}' for column in COLUMNS)
"""The columns of the dataset, for a statement that makes a table."""
ARR_CENTS = "coalesce(sum(round(arr * 100)::BIGINT), 0)"
"""What accounts pay together, in whole cents: the same in whatever order they are added up."""
_JSON_TYPES = ", ".join(f"'{column.name}': '{column.type.value}'" for column in COLUMNS)


def open_database(folder: Path, name: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Open a database.

    Args:
        folder: the only folder that it reads and writes.
        name: a file in the folder, so that more rows than fit into memory do no harm; in memory where it is left out.
    """
    options: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": MEMORY,
        "temp_directory": f"{folder}/spilled",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    database = duckdb.connect(name if name == ":memory:" else f"{folder}/{name}", config=options)
    # The order matters: once there is no access outside, no folder can be allowed any more.
    database.execute(f"SET allowed_directories = ['{folder}']")
    database.execute("SET enable_external_access = false")
    database.execute("SET TimeZone = 'UTC'")
    database.execute("SET enable_progress_bar = false")
    database.execute("SET lock_configuration = true")
    return database


def json_rows(paths: Iterable[Path], *, gzipped: bool) -> str:
    """Files of JSON lines in the folder, as a source of rows with all columns."""
    names = ", ".join(f"'{path}'" for path in paths)
    compression = "gzip" if gzipped else "uncompressed"
    how = f"format = 'newline_delimited', compression = '{compression}', columns = {{{_JSON_TYPES}}}"
    return f"read_json([{names}], {how})"
