"""Rows as columns, for a client that holds the whole book: small as JSON, and smaller as gzip.

Days count from 1970, times are minutes since then, and texts that repeat are numbers that point into a dictionary.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.alerts.acknowledgement import AcknowledgementStatus
from healthscore.core.dataset.last_nights import NO_SCORE
from healthscore.core.model import Band, Component
from healthscore.core.rounding import whole
from healthscore.core.scoring.trend import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from healthscore.dataset.query import Parameters

DICTIONARIES = {"owners": "owner", "segments": "segment", "plans": "plan", "stages": "stage", "cards": "card"}
"""The dictionaries, and the columns that point into them."""
_BANDS, _TRENDS, _COMPONENTS = ([one.value for one in values] for values in (Band, Direction, Component))
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

    def packed(self, night: str | None) -> bytes:
        """The same as a part of a night, which is all of an answer: JSON, as gzip."""
        return packed({"night": night, **self.to_json(), "gone": [], "next_cursor": None})


def packed(document: Mapping[str, Any]) -> bytes:
    """A document of the book as it is kept: JSON, as gzip; the same document is the same bytes."""
    return gzip.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6, mtime=0)


def _place(values: Sequence[str], column: str) -> str:
    named = ", ".join(f"'{value}'" for value in values)
    return f"list_position([{named}], {column}) - 1"


_VALUES = {
    "id": "account_id",
    "name": "name",
    **{column: column for column in DICTIONARIES.values()},
    "card": "model",
    "arr": "arr",
    "renewal": "renewal_date - DATE '1970-01-01'",
    "score": "score",
    "band": _place(_BANDS, "band"),
    "trend": _place(_TRENDS, "trend"),
    "seen": "epoch_ms(last_seen_at) // 60000",
    "cadence": "cadence",
    "recent": "recent",
    "why": f"CASE WHEN fell IS NOT NULL THEN [{_place(_COMPONENTS, 'fell')}, fell_points] END",
    "parts": _PARTS,
    "handled": f"coalesce({_place(_HANDLED, 'handling')} + 1, 0)",
    "handled_until": "epoch_ms(handled_until) // 60000",
    "extra": "attributes",
}


def read(database: duckdb.DuckDBPyConnection, rows: str, bound: Parameters) -> Columns:
    """Read the rows that a statement selects, in the order of their ids."""
    columns = ", ".join(f"coalesce(list({value} ORDER BY account_id), [])" for value in _VALUES.values())
    (found,) = database.execute(f"SELECT {columns} FROM ({rows})", bound).fetchall()
    named: dict[str, list[Any]] = dict(zip(_VALUES, found, strict=True))
    dictionaries = {}
    for name, column in DICTIONARIES.items():
        dictionaries[name] = sorted({text for text in named[column] if text is not None})
        places = {text: place for place, text in enumerate(dictionaries[name])}
        named[column] = [places.get(text) for text in named[column]]
    named["parts"] = [_packed(scores) for scores in named["parts"]]
    named["arr"] = [None if arr is None else whole(arr) for arr in named["arr"]]
    named["why"] = [None if why is None else [*map(whole, why)] for why in named["why"]]
    named["extra"] = [None if chosen is None else json.loads(chosen) for chosen in named["extra"]]
    return Columns(len(named["id"]), named, dictionaries)


def _packed(scores: Sequence[int | None]) -> str:
    """The scores of the components, a byte each."""
    return b64encode(bytes(NO_SCORE if score is None else score for score in scores)).decode()
