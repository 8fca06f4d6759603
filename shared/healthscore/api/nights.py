"""What the nights found, of the whole workspace and by groups of accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.dataset.figures import BANDS
from healthscore.core.rounding import whole
from healthscore.core.time import days_before
from healthscore.http.api_keys import Scope
from healthscore.http.errors import invalid_request
from healthscore.http.query import Day, OneOf
from healthscore.http.route import route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count, Money
    from healthscore.core.json_types import Day as DayText
    from healthscore.http.request import Request

    class BandFigures(TypedDict):
        """The accounts of a band."""

        accounts: Count
        arr: Money

    Move = TypedDict("Move", {"from": str | None, "to": str | None, "accounts": Count})
    """Accounts that changed their band since the night before; null for those that were not there, or are gone."""

    class GroupFigures(TypedDict):
        """The figures of a group of accounts."""

        group: str | None
        """What its accounts have in common; null where that is not known."""
        others: bool
        """Whether it is the rest, beyond the 200 largest groups."""
        accounts: Count
        arr: Money
        bands: dict[str, BandFigures]
        """By band; `unscored` has those that no night has scored yet."""
        moves: list[Move]
        alerts: dict[str, Count]
        """The alerts of the night's day, by kind; those that were withdrawn included."""

    class NightFigures(TypedDict):
        """The figures of a night."""

        night: DayText
        accounts: Count
        arr: Money
        bands: dict[str, BandFigures]
        moves: list[Move]
        alerts: dict[str, Count]
        groups: list[GroupFigures]
        """By what was asked for; empty where nothing was."""

    class Nights(TypedDict):
        """Nights, oldest first. A night without a dataset is left out."""

        nights: list[NightFigures]


TAG = "Dataset"
MAX_DAYS = 400
DEFAULT_DAYS = 30
_FROM = Day("from", f"The first night; {DEFAULT_DAYS} days before the last where it is left out.")
_TO = Day("to", "The last night; today's where it is left out.")
_BY = OneOf("by", "Also by groups of accounts.", ["owner", "segment", "stage", "scorecard"])


@route("GET /v1/nights", scope=Scope.READ, query=(_FROM, _TO, _BY))
def list_nights(request: Request) -> Nights:
    """Accounts, ARR, moves and alerts, night by night.

    Per night, how many accounts are in each band and what they pay, how many moved between bands since the night
    before, and the day's alerts by kind; with `by`, the same for groups of accounts, the 200 largest and the rest as
    one.
    """
    from healthscore.services.nights import figures  # noqa: PLC0415  (only one function has DuckDB)

    last = _TO.read(request) or (request.received_at + timedelta(days=1)).date()
    first = _FROM.read(request) or days_before(last, DEFAULT_DAYS)
    if first > last:
        raise invalid_request("from must not be after to.")
    if (last - first).days > MAX_DAYS:
        raise invalid_request(f"from and to may be {MAX_DAYS} days apart at most.")
    by = _BY.read(request)
    nights: list[NightFigures] = []
    for row in figures(first, last, by):
        document: Any = _document(row)
        if row["by"] == "all":
            night: Any = {"night": row["night"], **document, "groups": []}
            nights.append(night)
        else:
            group: Any = {"group": row["group"], "others": row["others"], **document}
            nights[-1]["groups"].append(group)
    return {"nights": nights}


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    moves = (move.partition(">")[::2] for move in row["moves"])
    return {
        "accounts": row["accounts"],
        "arr": whole(row["arr"]),
        "bands": {band: {"accounts": row[band], "arr": whole(row[f"{band}_arr"])} for band in BANDS},
        "moves": [
            {"from": before or None, "to": now or None, "accounts": row["moves"][f"{before}>{now}"]}
            for before, now in sorted(moves)
        ],
        "alerts": row["alerts"],
    }
