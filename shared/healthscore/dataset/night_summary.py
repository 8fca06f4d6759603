"""A night in short: accounts and what they pay by band, and who moved most.

It names accounts, so erasures rewrite it.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.model import Band
from healthscore.core.nightly.run_totals import MOVERS
from healthscore.core.rounding import whole
from healthscore.core.scoring.standard import band
from healthscore.dataset import bucket
from healthscore.dataset.database import ARR_CENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import duckdb

    from healthscore.core.dataset.manifest import Part

Summary = dict[str, Any]
_DIRECTIONS = {"up": ">", "down": "<"}


def make(database: duckdb.DuckDBPyConnection, rows: str, night: date) -> Summary:
    """The night in short, as JSON values.

    Accounts without any score do not count. Who was not scored since the day before has not moved.

    Args:
        database: has the rows.
        rows: the table that has a row for each account.
        night: the night.
    """
    bands = {
        name: (accounts, cents)
        for name, accounts, cents in database.execute(
            f"SELECT band, count(*), {ARR_CENTS} FROM {rows} WHERE score IS NOT NULL GROUP BY band"
        ).fetchall()
    }
    scored = f"FROM {rows} WHERE score_night >= DATE '{(night - timedelta(days=1)).isoformat()}'"
    before: Counter[Band] = Counter()
    for score, accounts in database.execute(
        f"SELECT score_before, count(*) {scored} AND score_before IS NOT NULL GROUP BY score_before"
    ).fetchall():
        before[band(score)] += accounts
    return {
        "accounts": sum(accounts for accounts, _ in bands.values()),
        "bands": {
            one.value: {
                "accounts": bands.get(one.value, (0, 0))[0],
                "accounts_before": before[one],
                "arr": whole(bands.get(one.value, (0, 0))[1] / 100),
            }
            for one in Band
        },
        "movers": {
            way: _movers(database, f"{scored} AND score {sign} score_before") for way, sign in _DIRECTIONS.items()
        },
    }


def _movers(database: duckdb.DuckDBPyConnection, moved: str) -> list[dict[str, Any]]:
    found = database.execute(
        "SELECT account_id, coalesce(name, account_id), score_before_night::VARCHAR, score_before, score "
        f"{moved} ORDER BY abs(score - score_before) DESC, account_id LIMIT {MOVERS}"
    ).fetchall()
    return [dict(zip(("account_id", "name", "since", "from", "to"), one, strict=True)) for one in found]


def named(summary: Mapping[str, Any]) -> set[str]:
    """The ids of the accounts that it names."""
    return {mover["account_id"] for moved in summary["movers"].values() for mover in moved}


def without(summary: Mapping[str, Any], account_ids: Collection[str]) -> Summary:
    """The same without naming some accounts; they still count."""
    movers = {
        way: [mover for mover in moved if mover["account_id"] not in account_ids]
        for way, moved in summary["movers"].items()
    }
    return {**summary, "movers": movers}


def read(part: Part) -> Summary | None:
    """A night in short, as it is kept; None where it is not there any more.

    Raises:
        StorageUnavailableError: the bucket cannot be read now.
    """
    found = bucket.get(part.name)
    return None if found is None else dict(json.loads(gzip.decompress(found.data)))
