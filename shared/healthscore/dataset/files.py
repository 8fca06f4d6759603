"""Files of nights, written and read by DuckDB in a folder of this machine: Parquet, and columns for the book."""

from __future__ import annotations

import contextlib
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.dataset import layout
from healthscore.core.dataset.columns import COLUMNS
from healthscore.core.dataset.manifest import Part
from healthscore.core.time import format_instant
from healthscore.dataset import bucket, columnar, database, night_summary
from healthscore.dataset.query import Parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date

    from healthscore.storage.nights.tombstones import Tombstones

_NAMES = ", ".join(f'"{column.name}"' for column in COLUMNS)
_PLACE = "left(md5(account_id), 8)"
"""As `core.dataset.layout.place`."""
_HIDDEN = """EXISTS (
    SELECT 1 FROM tombstones WHERE hash = sha256($key || account_id) AND recorded_at < erased_at
)"""
"""As `Tombstones.hides`."""
_KEEP_ONE_EACH = """
    CREATE TABLE twice AS
    SELECT account_id, arg_max(rowid, (coalesce(score_night, DATE '0001-01-01'), recorded_at, rowid)) AS newest
    FROM rows GROUP BY account_id HAVING count(*) > 1;
    DELETE FROM rows USING twice WHERE rows.account_id = twice.account_id AND rows.rowid <> newest
"""
_ROW_GROUP = 8_192
"""Rows of a row group: small, so that a reader of one account unpacks little."""


MOST_PACKED = 4_000_000
"""Bytes of a part of the book: an answer of Lambda ends at 6 MB, and has it in base64."""


class Made(NamedTuple):
    """A file on this machine."""

    number: int
    """Which part of the night, or of the book, it is."""
    part: Part
    path: Path

    def put(self) -> None:
        """Put it into the bucket.

        Raises:
            StorageUnavailableError: it is not known whether it is there.
        """
        bucket.put(self.part.name, self.path.read_bytes())


class Workshop:
    """A folder of this machine, and a database in it that reads and writes nothing outside of the folder."""

    def __init__(self, folder: Path, tombstones: Tombstones) -> None:
        """Open the database.

        Args:
            folder: an empty folder. The database is a file in it, so that more rows than fit into memory do no harm.
            tombstones: the accounts that were erased.
        """
        self.folder = folder
        self._key = {"key": tombstones.key}
        self._database = database.open_database(folder, "rows.db")
        self._database.execute(f"CREATE TABLE nothing ({database.COLUMN_TYPES})")
        self._database.execute("CREATE TABLE tombstones (hash VARCHAR, erased_at TIMESTAMP WITH TIME ZONE)")
        erased = [[id_hash, format_instant(at)] for id_hash, at in tombstones.erased.items()]
        if erased:
            self._database.executemany("INSERT INTO tombstones VALUES (?, ?)", erased)

    def clear(self) -> None:
        """Delete the Parquet files in the folder: those of all nights would not fit into a function's disk."""
        for path in self.folder.glob("*.parquet"):
            path.unlink()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def make_parts(self, staged: Iterable[Path], night: date) -> list[Made]:
        """Make a night's parts of what its workers have left.

        Of an account that stands twice the newer score wins, then the row that was recorded later. Rows of accounts
        that were erased after they were recorded are left out.

        Args:
            staged: files of JSON lines, gzipped, in the folder.
            night: the night.
        """
        source = database.json_rows(staged, gzipped=True)
        self._database.execute(
            f"CREATE TABLE rows AS SELECT *, {_PLACE} AS place FROM {source} WHERE NOT {_HIDDEN}", self._key
        )
        self._database.execute(_KEEP_ONE_EACH)
        ((rows,),) = self._database.execute("SELECT count(*) FROM rows").fetchall()
        parts = layout.number_of_parts(rows)
        return [
            self._write(f"SELECT {_NAMES} FROM rows WHERE {in_part(number, parts, 'place')}", night, number)
            for number in range(parts)
        ]

    def make_book(self, night: date) -> list[Made]:
        """Make the same rows, after `make_parts`, as columns: a part for each, or several where these are too large."""
        ((rows,),) = self._database.execute("SELECT count(*) FROM rows").fetchall()
        parts = layout.number_of_parts(rows)
        while True:
            made = [
                self._write_columns(f"SELECT * FROM rows WHERE {in_part(number, parts, 'place')}", night, number)
                for number in range(parts)
            ]
            if all(one.part.bytes <= MOST_PACKED for one in made):
                return made
            parts *= 2

    def make_summary(self, night: date) -> Made:
        """Make the night in short of the same rows, after `make_parts`."""
        return self._write_summary(night_summary.make(self._database, "rows", night), night)

    def has_erased(self, path: Path) -> bool:
        """Whether a part, a file in the folder, has rows of accounts that were erased after they were recorded."""
        query = f"SELECT 1 FROM read_parquet('{path}') WHERE {_HIDDEN} LIMIT 1"
        return bool(self._database.execute(query, self._key).fetchall())

    def without_erased(self, path: Path, night: date, number: int) -> Made:
        """Make a part again without the rows of accounts that were erased after they were recorded.

        Args:
            path: the part's file, in the folder.
            night: the part's night.
            number: the part's number.
        """
        self._keep(path)
        return self._write("SELECT * FROM kept", night, number)

    def book_without_erased(self, path: Path, night: date, numbers: Iterable[int], parts: int) -> list[Made]:
        """Make the parts of the book again that have the rows of a part, as `without_erased`.

        Args:
            path: the part's file, in the folder.
            night: the part's night.
            numbers: which parts of the book.
            parts: how many there are.
        """
        self._keep(path)
        return [
            self._write_columns(
                f"SELECT * FROM nothing UNION ALL BY NAME SELECT * FROM kept WHERE {in_part(number, parts)}",
                night,
                number,
            )
            for number in numbers
        ]

    def summary_without(self, summary: Mapping[str, Any], account_ids: Collection[str], night: date) -> Made:
        """Make the night in short again without accounts."""
        return self._write_summary(night_summary.without(summary, account_ids), night)

    def _keep(self, path: Path) -> None:
        kept = f"CREATE OR REPLACE TABLE kept AS SELECT * FROM read_parquet('{path}') WHERE NOT {_HIDDEN}"
        self._database.execute(kept, self._key)

    def _write(self, rows: str, night: date, number: int) -> Made:
        path = self.folder / f"made-{night.isoformat()}-{number:04d}.parquet"
        ((count,),) = self._database.execute(
            f"COPY ({rows} ORDER BY {_PLACE}, account_id) TO '{path}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP})"
        ).fetchall()
        data = path.read_bytes()
        checksum = sha256(data).hexdigest()
        return Made(number, Part(layout.part_name(night, number, checksum[:16]), count, len(data), checksum), path)

    def _write_columns(self, rows: str, night: date, number: int) -> Made:
        found = columnar.read(self._database, rows, Parameters())
        data = found.packed(night.isoformat())
        checksum = sha256(data).hexdigest()
        path = self.folder / f"book-{night.isoformat()}-{number:04d}.json.gz"
        path.write_bytes(data)
        return Made(
            number, Part(layout.book_part_name(night, number, checksum[:16]), found.size, len(data), checksum), path
        )

    def _write_summary(self, summary: Mapping[str, Any], night: date) -> Made:
        data = columnar.packed(summary)
        checksum = sha256(data).hexdigest()
        path = self.folder / f"summary-{night.isoformat()}.json.gz"
        path.write_bytes(data)
        named = len(night_summary.named(summary))
        return Made(0, Part(layout.summary_name(night, checksum[:16]), named, len(data), checksum), path)


def in_part(number: int, parts: int, place: str = _PLACE) -> str:
    """The condition that a row is in one of so many parts, as `core.dataset.layout.part_of`."""
    return f"(('0x' || {place})::UBIGINT * {parts}) >> 32 = {number}"


@contextlib.contextmanager
def workshop(tombstones: Tombstones) -> Iterator[Workshop]:
    """A workshop for as long as the context lasts."""
    with (
        tempfile.TemporaryDirectory(prefix="dataset-") as name,
        contextlib.closing(Workshop(Path(name), tombstones)) as opened,
    ):
        yield opened
