"""Asks DuckDB about a night's files and what has changed since, so that there is one way to filter and to sort."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.dataset.columns import SCHEMA
from healthscore.core.dataset.question import SHOWN
from healthscore.core.time import format_instant
from healthscore.dataset import columnar, csv_text, query
from healthscore.dataset.database import COLUMN_TYPES, json_rows, open_database
from healthscore.dataset.files import in_part
from healthscore.dataset.parts import NIGHTS_KEPT, Parts
from healthscore.dataset.query import Parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from healthscore.core.dataset.manifest import Manifest
    from healthscore.core.dataset.question import Question
    from healthscore.core.dataset.walk import Key
    from healthscore.dataset.columnar import Columns
    from healthscore.dataset.overlay import Overlay

_HIDDEN = "EXISTS (SELECT 1 FROM erasing WHERE erasing.account_id = night.account_id AND night.recorded_at < erased_at)"
_CHANGED = "SELECT account_id FROM changed"
_FROZEN = "SELECT account_id FROM frozen"


_AT_ONCE = 10_000
_SPARE, _MORE = 5, 8
"""Of a page's accounts, one in so many more is looked for, in case that some do not match any more; then so many times
as many."""
_FEW = 500
MOST_LOADED = 2_000_000
"""A night of more accounts is read from its files each time: two of them would not have room on the disk."""


class Csv(NamedTuple):
    """A file of CSV on this machine."""

    path: Path
    rows: int


class Rows(NamedTuple):
    """Rows of accounts, each account once."""

    sql: str
    """A statement that selects them."""


class Line(NamedTuple):
    """An account on a page."""

    values: Mapping[str, Any]
    """The shown columns by their names, as JSON values."""
    keys: tuple[Key, ...]
    """Its values of the order."""

    @property
    def account_id(self) -> str:
        """The account."""
        account_id: str = self.values["account_id"]
        return account_id


class _Stretch(NamedTuple):
    """Rows in the order of a question, from a place on."""

    rows: Rows
    limit: int
    """How many there are at most."""
    after: tuple[Sequence[Key], str] | None
    """Keys and id of the account before; None for the first ones."""


class Reader:
    """A database in a folder of this machine, with the files of the nights that were read last."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="book-"))
        self.parts = Parts(self._folder)
        self._database = open_database(self._folder, "book.db")
        self._database.execute(query.FOLD)
        self._database.execute(f"CREATE TABLE nothing ({COLUMN_TYPES})")
        for table in ("fresh", "frozen"):
            self._database.execute(f"CREATE TABLE {table} AS SELECT {query.WITH_FOLDED} FROM nothing")
        self._loaded: dict[tuple[str, ...], str] = {}
        """The tables of nights, by the names of their files: DuckDB reads its own faster than Parquet."""
        self._tables = count()
        self._database.execute("CREATE TABLE changed (account_id VARCHAR)")
        self._database.execute("CREATE TABLE erasing (account_id VARCHAR, erased_at TIMESTAMP WITH TIME ZONE)")
        self._laid, self._frozen = 0, ""
        self._hidden: tuple[tuple[str, str], ...] = ()

    def close(self) -> None:
        """Close the database, and delete its folder."""
        self._database.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def lay(self, overlay: Overlay) -> None:
        """Have what has changed since the newest night at hand for `present`."""
        if self._laid != overlay.version:
            self._fill("fresh", overlay.lines)
            self._database.execute("DELETE FROM changed")
            self._database.execute("INSERT INTO changed SELECT unnest($ids::VARCHAR[])", {"ids": [*overlay.changed]})
            self._laid = overlay.version

    def freeze(self, name: str, lines: bytes) -> None:
        """Have what had changed when a walk began at hand for `began`."""
        if self._frozen != name:
            self._fill("frozen", lines)
            self._frozen = name

    def hide(self, erased: Iterable[tuple[str, datetime]]) -> None:
        """Leave out the rows of accounts that were recorded before their erasure."""
        hidden = tuple((account_id, format_instant(at)) for account_id, at in erased)
        if self._hidden != hidden:
            self._database.execute("DELETE FROM erasing")
            if hidden:
                self._database.executemany("INSERT INTO erasing VALUES (?, ?)", hidden)
            self._hidden = hidden

    def _fill(self, table: str, lines: bytes) -> None:
        self._database.execute(f"DELETE FROM {table}")
        if lines:
            path = self._folder / f"{table}.ndjson"
            path.write_bytes(lines)
            rows = json_rows([path], gzipped=False)
            self._database.execute(f"INSERT INTO {table} SELECT {query.WITH_FOLDED} FROM {rows}")
            path.unlink()

    def present(self, manifest: Manifest | None) -> Rows:
        """The newest night with what has changed since.

        Raises:
            PartGoneError: read the manifest again.
            StorageUnavailableError: the bucket cannot be read now.
        """
        unchanged = f"{self._night(manifest)} AND account_id NOT IN ({_CHANGED})"
        return Rows(f"{unchanged} UNION ALL BY NAME SELECT * FROM fresh")

    def began(self, manifest: Manifest | None, at: int) -> Rows:
        """A night with what had changed when a walk began; raises as `present`.

        An account that began again shortly after its erasure may have been taken out of what is kept. It has the place
        that it has now.
        """
        night = self._night(manifest)
        kept = f"{night} AND account_id NOT IN ({_FROZEN}) UNION ALL BY NAME SELECT * FROM frozen"
        new = f"SELECT * FROM fresh WHERE epoch_ms(recorded_at) <= {at} AND account_id NOT IN ({_FROZEN})"
        if self._database.execute(f"{new} LIMIT 1").fetchone() is None:  # nearly always; the other way takes long
            return Rows(kept)
        return Rows(f"{kept} UNION ALL BY NAME {new} AND account_id NOT IN (SELECT account_id FROM ({night}))")

    def past(self, manifest: Manifest) -> Rows:
        """A night as it was; raises as `present`."""
        return Rows(self._night(manifest))

    def _night(self, manifest: Manifest | None, only: int | None = None) -> str:
        if manifest is None:
            return f"SELECT {query.WITH_FOLDED} FROM nothing AS night WHERE true"
        paths = self.parts.of(manifest)
        if only is None and manifest.rows <= MOST_LOADED:
            rows = self._table(paths, manifest.schema)
        else:
            files = _files(paths if only is None else [paths[only]], manifest.schema)
            rows = f"(SELECT {query.WITH_FOLDED} FROM ({files}))"
        return f"SELECT * FROM {rows} AS night WHERE {f'NOT {_HIDDEN}' if self._hidden else 'true'}"

    def _table(self, paths: Sequence[Path], schema: int) -> str:
        """The table of a night; those of the two nights that were read last are kept."""
        key = tuple(path.name for path in paths)
        table = self._loaded.pop(key, None)
        if table is None:
            table = f"night_{next(self._tables)}"
            self._database.execute(f"CREATE TABLE {table} AS SELECT {query.WITH_FOLDED} FROM ({_files(paths, schema)})")
        self._loaded[key] = table
        while len(self._loaded) > NIGHTS_KEPT:
            self._database.execute(f"DROP TABLE {self._loaded.pop(next(iter(self._loaded)))}")
        return table

    def write_csv(self, question: Question, rows: Rows) -> Csv:
        """Write the accounts of a question to a file of CSV, which belongs to the caller from then on."""
        bound = Parameters()
        order, columns = query.order_by(question.orders), [*SHOWN.values()]
        self._database.execute(
            f"SELECT {csv_text.line(columns)} FROM (SELECT *{query.keys(question.orders)} FROM ({rows.sql}) "
            f"WHERE {query.matches(question, bound)}) ORDER BY {order}",
            bound,
        )
        path, written = self._folder / "accounts.csv", 0
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(f"{csv_text.BEGIN}{csv_text.header(columns)}{csv_text.END_OF_LINE}")
            while lines := self._database.fetchmany(_AT_ONCE):
                file.writelines(f"{line}{csv_text.END_OF_LINE}" for (line,) in lines)
                written += len(lines)
        return Csv(path, written)

    def owned(self, rows: Rows, owner: str | None, limit: int, after: str | None) -> Columns:
        """The next accounts of an owner, in the order of their ids; of those without one where it is None."""
        bound = Parameters()
        mine = "owner IS NULL" if owner is None else f"owner = {bound.bind(owner)}::VARCHAR"
        behind = "true" if after is None else f"account_id > {bound.bind(after)}::VARCHAR"
        selected = f"SELECT * FROM ({rows.sql}) WHERE {mine} AND {behind} ORDER BY account_id LIMIT {limit}"
        return columnar.read(self._database, selected, bound)

    def columns(self, rows: Rows) -> Columns:
        """All accounts as columns."""
        return columnar.read(self._database, rows.sql, Parameters())

    def fresh(self) -> Rows:
        """What has changed since the newest night."""
        return Rows("SELECT * FROM fresh")

    def part(self, manifest: Manifest, number: int, parts: int) -> Rows:
        """One of so many parts of a night for the book, as it was; raises as `present`."""
        only = number * len(manifest.parts) // parts
        return Rows(f"{self._night(manifest, only)} AND {in_part(number, parts)}")

    def page(
        self, question: Question, present: Rows, began: Rows, limit: int, after: tuple[Sequence[Key], str] | None
    ) -> list[Line]:
        """The next accounts in the order of a question.

        Args:
            question: which accounts, and in which order.
            present: the rows to show.
            began: the rows by which the accounts have their places; an account must match by both.
            limit: how many there are at most.
            after: keys and id of the account before; None for the first ones.
        """
        if began == present:
            found = self._next(question, query.shown(), _Stretch(present, limit, after))
            return [Line(query.document(values[: len(SHOWN)]), values[len(SHOWN) :]) for values in found]
        # Two whole books are not joined for a page: it takes the next places, and looks for these accounts.
        lines: list[Line] = []
        wanted = limit + limit // _SPARE
        while True:
            places = self._next(question, "account_id", _Stretch(began, wanted, after))
            shown = self._shown(question, present, [account_id for account_id, *_ in places])
            lines += [Line(shown[account_id], tuple(keys)) for account_id, *keys in places if account_id in shown]
            if len(lines) >= limit or len(places) < wanted:
                return lines[:limit]
            account_id, *keys = places[-1]
            after, wanted = (keys, account_id), wanted * _MORE

    def _next(self, question: Question, columns: str, of: _Stretch) -> list[tuple[Any, ...]]:
        """Columns and keys of the next rows that match a question."""
        bound = Parameters()
        keys, order = query.keys(question.orders), query.order_by(question.orders)
        matching = f"SELECT *{keys} FROM ({of.rows.sql}) WHERE {query.matches(question, bound)}"
        where = "true" if of.after is None else query.behind(question.orders, *of.after, bound)
        named = "".join(f", k{number}" for number in range(len(question.orders)))
        statement = (
            f"SELECT {columns}{named} FROM (SELECT * FROM ({matching}) WHERE {where} ORDER BY {order} "
            f"LIMIT {of.limit}) ORDER BY {order}"
        )
        return self._database.execute(statement, bound).fetchall()

    def _shown(self, question: Question, rows: Rows, account_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The shown columns of those of some accounts that match, by their ids."""
        bound = Parameters()
        if len(account_ids) > _FEW:
            named = f"SELECT unnest({bound.bind(account_ids)}::VARCHAR[])"
        else:  # faster: DuckDB looks these up while it scans
            named = ", ".join(f"{bound.bind(account_id)}::VARCHAR" for account_id in account_ids) or "NULL"
        # The limit has DuckDB look for the accounts before it looks at whether they match.
        some = f"SELECT * FROM ({rows.sql}) WHERE account_id IN ({named}) LIMIT {len(account_ids)}"
        statement = f"SELECT {query.shown()} FROM ({some}) WHERE {query.matches(question, bound)}"
        lines = map(query.document, self._database.execute(statement, bound).fetchall())
        return {line["account_id"]: line for line in lines}


def _files(paths: Sequence[Path], schema: int) -> str:
    """The rows of a night's files, in the columns of today."""
    names = ", ".join(f"'{path}'" for path in paths)
    rows = f"SELECT * FROM read_parquet([{names}], union_by_name = true)"
    return rows if schema == SCHEMA else f"SELECT * FROM nothing UNION ALL BY NAME {rows}"
