"""The workspace in short, as the newest night left it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.api.answers import account_path
from healthscore.core.model import Band
from healthscore.core.rounding import whole
from healthscore.http.api_keys import Scope
from healthscore.http.route import route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import TypedDict

    from healthscore.core.json_types import BandName, Count, Day, Instant, Money, Score
    from healthscore.http.request import Request

    class BandSummary(TypedDict):
        """The accounts of a band."""

        accounts: Count
        accounts_before: Count
        """How many of the accounts scored now were in the band at their snapshot before."""
        arr: Money

    _Moved = TypedDict("_Moved", {"from": Score, "to": Score})

    class Mover(_Moved):
        """An account whose score moved."""

        account_id: str
        path: str
        """The account's path in this API."""
        name: str
        since: Day
        """The day of the snapshot before."""

    class Movers(TypedDict):
        """The accounts that moved most, the largest moves first."""

        up: list[Mover]
        down: list[Mover]

    class Summary(TypedDict):
        """The workspace as the newest night of the dataset left it; all 0 and null before the first night."""

        date: Day | None
        as_of: Instant | None
        accounts: Count
        bands: dict[BandName, BandSummary]
        movers: Movers


TAG = "Accounts"
_NO_NIGHT: Summary = {
    "date": None,
    "as_of": None,
    "accounts": 0,
    "bands": {band.value: {"accounts": 0, "accounts_before": 0, "arr": 0} for band in Band},
    "movers": {"up": [], "down": []},
}


@route("GET /v1/summary", scope=Scope.READ)
def get_summary(_request: Request) -> Summary:
    """Accounts and ARR by band, and who moved.

    As the newest night of the dataset has them; it does not change until there is another.
    """
    from healthscore.services.summary import newest  # noqa: PLC0415  (only one function reads the dataset)

    found = newest()
    return _NO_NIGHT if found is None else _summary_document(found)


def _summary_document(found: Mapping[str, Any]) -> Summary:
    """A summary as the API shows it: each mover with its `path`, and money as elsewhere."""
    bands: dict[BandName, BandSummary] = found["bands"]
    movers = found["movers"]
    return {
        "date": found["date"],
        "as_of": found["as_of"],
        "accounts": found["accounts"],
        "bands": {name: {**band, "arr": whole(band["arr"])} for name, band in bands.items()},
        "movers": {"up": _with_paths(movers["up"]), "down": _with_paths(movers["down"])},
    }


def _with_paths(movers: list[Mover]) -> list[Mover]:
    return [{**mover, "path": account_path(mover["account_id"])} for mover in movers]
