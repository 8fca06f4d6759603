"""An account's score: the live one with its explanation, and those of past nights."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from healthscore.api.answers import ACCOUNT_NOT_FOUND, account_not_found
from healthscore.api.as_of import AS_OF_IN_FUTURE, AS_OF_TOO_OLD, check
from healthscore.core.health import document, risk_document
from healthscore.core.time import day_of, days_before, format_instant
from healthscore.http.api_keys import Scope
from healthscore.http.errors import ApiError, invalid_request, shown
from healthscore.http.query import Day, Instant, InstantOrDay
from healthscore.http.route import route
from healthscore.metrics import Metric
from healthscore.services.scoring import assess_account, snapshot_at
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, history

if TYPE_CHECKING:
    from datetime import date

    from typing_extensions import TypedDict

    from healthscore.core import json_types
    from healthscore.core.account import Account
    from healthscore.core.health_document import HealthDocument, RiskDocument
    from healthscore.core.json_types import BandName, ComponentName, Score
    from healthscore.core.model import Snapshot
    from healthscore.http.request import Request
    from healthscore.settings import Settings

    class SnapshotDocument(TypedDict):
        """A night's score."""

        date: json_types.Day
        score: Score
        band: BandName
        components: dict[ComponentName, Score]
        """By name; without `crm` where it did not count."""
        risk: RiskDocument | None
        """Null where that night did not judge it."""

    class HistoryDocument(TypedDict):
        """An account's nights, oldest first."""

        account_id: str
        snapshots: list[SnapshotDocument]


TAG = "Scores"
HISTORY_DAYS = 90
"""Days of history answered where `from` is left out."""
_AS_OF = Instant("as_of", "The instant to score; now where it is left out. The `+` of an offset is written `%2B`.")
_COMPARE_TO = InstantOrDay(
    "compare_to",
    "What the score is explained against: an instant, or a day with its night, or its end where no night was kept. It "
    "lies before `as_of`. Where it is left out, it is the night before the newest one, or an earlier one where nothing "
    "has moved since.",
)
_FROM = Day("from", "The first day; 89 days before `to` where it is left out.")
_TO = Day("to", "The last day, included; today where it is left out.")


@route(
    "GET /v1/accounts/{account_id}/health",
    scope=Scope.READ,
    query=(_AS_OF, _COMPARE_TO),
    errors=(ACCOUNT_NOT_FOUND, AS_OF_IN_FUTURE, AS_OF_TOO_OLD),
)
def get_health(request: Request) -> HealthDocument:
    """The live score, explained.

    Computed from the stored events when you ask for it: an event answered 200 a moment before is in it. With `as_of` it
    answers for any past instant within `retention_days`, and the same question gets the same answer, to the bit.

    `drivers` says what moved the score since the night before the newest one, so that on the morning after a night it
    says what that night has brought; since another instant or day with `compare_to`.
    """
    settings = workspace.settings().settings
    as_of = _as_of(request, settings)
    compare_to = _compare_to(request, as_of, settings)
    account = _account(request)
    compared = None if compare_to is None else snapshot_at(account, compare_to, as_of, settings)
    if compare_to is not None and compared is None:
        raise _not_before(request, as_of)
    answer = document(assess_account(account, as_of, settings, compared))
    request.counts[Metric.SCORE_VIEWS] = 1
    return answer


@route(
    "GET /v1/accounts/{account_id}/history",
    scope=Scope.READ,
    query=(_FROM, _TO),
    errors=(ACCOUNT_NOT_FOUND,),
)
def get_history(request: Request) -> HistoryDocument:
    """The scores of past nights.

    The snapshots that the nightly run kept, oldest first.
    """
    settings = workspace.settings().settings
    last = _TO.read(request) or day_of(request.received_at, settings.zone)
    first = _FROM.read(request) or days_before(last, HISTORY_DAYS - 1)
    if first > last:
        raise invalid_request(f"from {first} must not be after to {last}.")
    account = _account(request)
    nights = history.snapshots(account, first, last)
    return {"account_id": account.account_id, "snapshots": [_snapshot_document(night) for night in nights]}


def _snapshot_document(snapshot: Snapshot) -> SnapshotDocument:
    return {
        "date": snapshot.day.isoformat(),
        "score": snapshot.score,
        "band": snapshot.band.value,
        "components": {component.value: score for component, score in snapshot.components.items()},
        "risk": None if snapshot.risk is None else risk_document(snapshot.risk, snapshot.band),
    }


def _as_of(request: Request, settings: Settings) -> datetime:
    """The instant to score: `as_of`, or now where it is left out.

    Raises:
        ApiError: 400 `invalid_request` (no RFC 3339 instant), `as_of_in_future` or `as_of_too_old`.
    """
    at = _AS_OF.read(request)
    return request.received_at if at is None else check(request, at, settings)


def _compare_to(request: Request, as_of: datetime, settings: Settings) -> datetime | date | None:
    """What the score is explained against.

    Raises:
        ApiError: 400 `invalid_request`: it cannot be read, or lies beyond retention.
    """
    at = _COMPARE_TO.read(request)
    if at is None:
        return None
    day = day_of(at, settings.zone) if isinstance(at, datetime) else at
    if day > day_of(as_of, settings.zone):
        raise _not_before(request, as_of)
    if (day_of(request.received_at, settings.zone) - day).days > settings.retention_days:
        raise invalid_request(
            f"compare_to {shown(request.query['compare_to'])} lies more than {settings.retention_days} days back, "
            "which is all that is kept (setting retention_days)."
        )
    return at


def _not_before(request: Request, as_of: datetime) -> ApiError:
    return invalid_request(
        f"compare_to {shown(request.query['compare_to'])} does not lie before {format_instant(as_of)}, the instant "
        "that is scored; name an earlier instant or day."
    )


def _account(request: Request) -> Account:
    account = accounts.get(request.params["account_id"])
    if account is None:
        raise account_not_found(request.params["account_id"])
    return account
