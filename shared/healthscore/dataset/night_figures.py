"""Figures of each night, for the workspace and by groups of accounts: one file a month, with no account in it.

Whoever tidies up makes those that are missing: of a night that is new, or was made again, or whose night before was. So
one that dies before this is done leaves nothing to repair.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.dataset import layout
from healthscore.core.dataset.columns import SCHEMA
from healthscore.core.dataset.figures import UNSCORED, Figures, largest
from healthscore.core.time import days_before
from healthscore.dataset import bucket, figure_files
from healthscore.dataset.database import ARR_CENTS, COLUMN_TYPES, open_database
from healthscore.storage.alerts import lists
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.nights import manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    import duckdb

    from healthscore.core.dataset.manifest import Manifest

REMADE_DAYS = 40
"""Nights so many days back are looked at."""
GROUPED_BY = {figure_files.ALL: "NULL", "owner": "owner", "segment": "segment", "stage": "stage", "scorecard": "model"}
"""By what accounts are grouped, and the column that says it."""
_NOTHING = "SELECT * FROM nothing"


class _Pair(NamedTuple):
    """A night and the one before."""

    night: Manifest
    before: Manifest | None

    @property
    def runs(self) -> tuple[str, str]:
        """The runs that made the two."""
        return self.night.run, "" if self.before is None else self.before.run


def bring_up_to_date(today: date, keep_going: Callable[[], bool]) -> None:
    """Make the figures of the last nights that have none, or older ones.

    Raises:
        StorageUnavailableError: some may be missing; the next call makes them.
    """
    found = [night.manifest for night in manifests.every() if night.manifest is not None]
    first = days_before(today, REMADE_DAYS)
    pairs = [_Pair(night, before) for before, night in pairwise([None, *found]) if night and night.night >= first]
    there = set(bucket.keys(layout.NIGHTS))
    for name, of_month in groupby(pairs, lambda pair: layout.nights_name(pair.night.night)):
        _bring_month_up_to_date(name, [*of_month], name in there, keep_going)


def _bring_month_up_to_date(name: str, pairs: list[_Pair], there: bool, keep_going: Callable[[], bool]) -> None:
    found = bucket.get(name) if there else None
    with tempfile.TemporaryDirectory(prefix="nights-") as folder, closing(open_database(Path(folder))) as database:
        rows = [] if found is None else figure_files.rows(database, Path(folder), [found.data])
        have = {row["night"]: (row["run"], row["before"]) for row in rows}
        stale = [pair for pair in pairs if have.get(pair.night.night.isoformat()) != pair.runs]
        made = {}
        for pair in stale:
            if keep_going():
                made[pair.night.night.isoformat()] = _figures(pair, database, Path(folder))
        if made:
            kept = [row for row in rows if row["night"] not in made]
            data = figure_files.parquet(
                [*kept, *(row for rows in made.values() for row in rows)], database, Path(folder)
            )
            _put(name, data, None if found is None else found.etag)


def _put(name: str, data: bytes, etag: str | None) -> None:
    if etag is None:
        bucket.put(name, data)
        return
    try:
        bucket.put_if_unchanged(name, data, etag)
    except ConditionFailedError:
        raise StorageUnavailableError("somebody else makes the figures of the month") from None


def _figures(pair: _Pair, database: duckdb.DuckDBPyConnection, folder: Path) -> list[figure_files.Row]:
    """The rows of a night."""
    now, was = _source(pair.night, folder), _source(pair.before, folder)
    database.execute(f"CREATE TABLE IF NOT EXISTS nothing ({COLUMN_TYPES})")
    groups = ", ".join(
        f"CASE WHEN now.account_id IS NULL THEN {'' if by == figure_files.ALL else 'was.'}{column} "
        f"ELSE {'' if by == figure_files.ALL else 'now.'}{column} END AS by_{by}"
        for by, column in GROUPED_BY.items()
    )
    database.execute(
        f"CREATE OR REPLACE TABLE sides AS SELECT coalesce(now.account_id, was.account_id) AS account_id, "
        f"now.arr AS arr, CASE WHEN now.account_id IS NOT NULL THEN coalesce(now.band, '{UNSCORED}') END AS band, "
        f"CASE WHEN was.account_id IS NOT NULL THEN coalesce(was.band, '{UNSCORED}') END AS band_before, {groups} "
        f"FROM ({now}) AS now FULL JOIN ({was}) AS was ON now.account_id = was.account_id"
    )
    alerts = lists.kinds_of_day(pair.night.night)
    database.execute(
        "CREATE OR REPLACE TABLE alerts AS SELECT unnest($ids::VARCHAR[]) AS account_id, "
        "unnest($kinds::VARCHAR[]) AS kind",
        {"ids": [account_id for account_id, _ in alerts], "kinds": [kind for _, kind in alerts]},
    )
    for path in folder.glob("*.parquet"):
        path.unlink()
    night, (run, before) = pair.night.night.isoformat(), pair.runs
    return [
        {"night": night, "run": run, "before": before, "by": by, **figures.to_row()}
        for by in GROUPED_BY
        for figures in largest(_grouped(by, database, moving=pair.before is not None))
    ]


def _grouped(by: str, database: duckdb.DuckDBPyConnection, *, moving: bool) -> Iterable[Figures]:
    """The figures of each group; moves only where there is a night before."""
    found: dict[str | None, Figures] = {}
    counted = database.execute(
        f"SELECT by_{by}, band, band_before, count(*), {ARR_CENTS} FROM sides GROUP BY ALL"
    ).fetchall()
    for group, band, band_before, accounts, arr_cents in counted:
        figures = found.setdefault(group, Figures(group))
        if band is not None:
            figures.accounts[band] += accounts
            figures.arr_cents[band] += arr_cents
        if moving and band != band_before:
            figures.moves[f"{band_before or ''}>{band or ''}"] += accounts
    alerted = database.execute(
        f"SELECT by_{by}, kind, count(*) FROM alerts JOIN sides ON alerts.account_id = sides.account_id GROUP BY ALL"
    ).fetchall()
    for group, kind, number in alerted:
        found[group].alerts[kind] += number
    return found.values()


def _source(manifest: Manifest | None, folder: Path) -> str:
    """The accounts of a night."""
    if manifest is None:
        return _NOTHING
    paths = bucket.fetch([part.name for part in manifest.parts], folder)
    names = ", ".join(f"'{path}'" for path in paths)
    rows = f"SELECT * FROM read_parquet([{names}], union_by_name = true)"
    return rows if manifest.schema == SCHEMA else f"{_NOTHING} UNION ALL BY NAME {rows}"
