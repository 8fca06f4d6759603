"""Rows as columns, for a client that holds the whole book: small as JSON, and smaller as gzip.

Days count from 1970, times are minutes since then, and texts that repeat are numbers that point into a dictionary.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.alerts.acknowledgement import AcknowledgementStatus
from healthscore.core.model import Band
from healthscore.core.scoring.trend import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from healthscore.dataset.query import Parameters

DICTIONARIES = {"owners": "owner", "segments": "segment", "plans": "plan", "stages": "stage"}
"""The dictionaries, and the columns that point into them."""
NO_SCORE = 255
_BANDS, _TRENDS = ([one.value for one in values] for values in (Band, Direction))
_HANDLED = [status.value for status in AcknowledgementStatus]
_PARTS = "[activity_score, engagement_score, milestones_score, recency_score, crm_score]"


class Columns(NamedTuple):
    """Accounts as columns."""

    size: int
    """How many accounts there are."""
    columns: dict[str, list[Any]]
    """Each has a value for each account."""
    dictionaries: dict[str, list[str]]

    def to_json(self) -> dict[str, Any]:
        """As the API answers it."""
        return {"n": self.size, "columns": self.columns, "dictionaries": self.dictionaries}


def _place(values: Sequence[str], column: str) -> str:
    named = ", ".join(f"'{value}'" for value in values)
    return f"list_position([{named}], {column}) - 1"


_VALUES = {
    "id": "account_id",
    "name": "name",
    **{column: f"list_position({name}, {column}) - 1" for name, column in DICTIONARIES.items()},
    "arr": "arr",
    "renewal": "renewal_date - DATE '1970-01-01'",
    "score": "score",
    "band": _place(_BANDS, "band"),
    "trend": _place(_TRENDS, "trend"),
    "seen": "epoch_ms(last_seen_at) // 60000",
    "parts": _PARTS,
    "handled": f"coalesce({_place(_HANDLED, 'handling')} + 1, 0)",
    "handled_until": "epoch_ms(handled_until) // 60000",
}


def read(database: duckdb.DuckDBPyConnection, rows: str, bound: Parameters) -> Columns:
    """Read the rows that a statement selects, in the order of their ids."""
    dictionaries = ", ".join(
        f"coalesce(list(DISTINCT {column} ORDER BY {column}) FILTER ({column} IS NOT NULL), []) AS {name}"
        for name, column in DICTIONARIES.items()
    )
    columns = ", ".join(f"coalesce(list({value} ORDER BY account_id), [])" for value in _VALUES.values())
    (found,) = database.execute(
        f"WITH rows AS MATERIALIZED ({rows}), known AS (SELECT {dictionaries} FROM rows) "
        f"SELECT {columns}, any_value(known) FROM rows, known",
        bound,
    ).fetchall()
    *lists, known = found
    named: dict[str, list[Any]] = dict(zip(_VALUES, lists, strict=True))
    named["parts"] = [_packed(scores) for scores in named["parts"]]
    named["arr"] = [int(arr) if arr is not None and arr.is_integer() else arr for arr in named["arr"]]
    return Columns(len(named["id"]), named, known or {name: [] for name in DICTIONARIES})


def _packed(scores: Sequence[int | None]) -> str:
    """The scores of the components, a byte each."""
    return b64encode(bytes(NO_SCORE if score is None else score for score in scores)).decode()
