"""Alerts: those of a night or of an account, and what people say about them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from healthscore.api.answers import ACCOUNT_NOT_FOUND, account_not_found, account_path
from healthscore.core.alerts.acknowledgement import MAX_SNOOZE
from healthscore.core.alerts.model import Alert
from healthscore.core.time import day_of, parse_instant
from healthscore.http.api_keys import Scope
from healthscore.http.cursors import CURSOR, read_cursor, write_cursor
from healthscore.http.errors import ApiError, ErrorKind, shown
from healthscore.http.query import Day, Limit
from healthscore.http.route import route
from healthscore.services import acknowledgements
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from typing_extensions import TypedDict

    from healthscore.core import json_types
    from healthscore.core.alerts.model import AlertJson
    from healthscore.core.json_types import Instant
    from healthscore.http.request import Request
    from healthscore.storage.alerts.messages import Message

    class AcknowledgementDocument(TypedDict):
        """Who has acknowledged or snoozed an alert."""

        status: Literal["acknowledged", "snoozed"]
        by: str
        reason: str | None
        at: Instant
        until: Instant
        """When it ends, unless the account gets worse or recovers before."""

    class AlertDocument(AlertJson):
        """An alert: what changed, why it matters, and what to do."""

        path: str | None
        """The account's path in this API."""
        status: str
        """`pending` until it was `sent`; see docs/alerts.md."""
        handling: AcknowledgementDocument | None
        """Its acknowledgement or snooze; null where it has none."""

    class AccountAlerts(TypedDict):
        """An account's alerts, newest first."""

        account_id: str
        alerts: list[AlertDocument]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""

    class DayAlerts(TypedDict):
        """A night's alerts."""

        date: json_types.Day
        alerts: list[AlertDocument]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""


TAG = "Alerts"
ALERT_NOT_FOUND = ErrorKind(
    HTTPStatus.NOT_FOUND,
    "alert_not_found",
    "No account has such an alert. Digests and workspace alerts cannot be acknowledged.",
)
ALERT_NOT_OPEN = ErrorKind(
    HTTPStatus.CONFLICT,
    "alert_not_open",
    "The alert was withdrawn, or is good news: there is nothing to acknowledge.",
)
_DATE = Day("date", "The night's day; today where it is left out.")
_LIMIT = Limit(most=200, default=50)


@route("GET /v1/alerts", scope=Scope.READ, query=(_DATE, _LIMIT, CURSOR))
def list_alerts(request: Request) -> DayAlerts:
    """The alerts of a night.

    Of all accounts, by kind.
    """
    day = _DATE.read(request) or day_of(request.received_at, workspace.settings().settings.zone)
    question = ["alerts", day.isoformat()]
    limit, after = _LIMIT.read(request), read_cursor(request, question)
    found, place = lists.of_day(day, limit=limit, after=after)
    return {
        "date": day.isoformat(),
        "alerts": _documents(found),
        "next_cursor": write_cursor(question, place),
    }


@route(
    "GET /v1/accounts/{account_id}/alerts",
    scope=Scope.READ,
    query=(_LIMIT, CURSOR),
    errors=(ACCOUNT_NOT_FOUND,),
)
def list_account_alerts(request: Request) -> AccountAlerts:
    """An account's alerts.

    Newest first.
    """
    account_id = request.params["account_id"]
    question = ["alerts of", account_id]
    limit, after = _LIMIT.read(request), read_cursor(request, question)
    account = accounts.get(account_id)
    if account is None:
        raise account_not_found(account_id)
    found, place = lists.of_account(account.account_id, limit=limit, after=after)
    return {
        "account_id": account.account_id,
        "alerts": _documents(found),
        "next_cursor": write_cursor(question, place),
    }


@route(
    "POST /v1/alerts/{alert_id}/acknowledge",
    scope=Scope.WORK,
    body="schemas.Acknowledgement",
    errors=(ALERT_NOT_FOUND, ALERT_NOT_OPEN),
)
def acknowledge_alert(request: Request) -> AlertDocument:
    """Acknowledge an alert.

    Says who looks after the account's trouble. For 30 days, or until the account has recovered, no further fall of the
    account is alerted, unless it gets worse. The same acknowledgement again changes nothing; another one replaces it.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (Pydantic: only where there is a body to check)

    fields = schemas.read_acknowledgement(request.json())
    return _acknowledge(request, fields, until=None)


@route(
    "POST /v1/alerts/{alert_id}/snooze",
    scope=Scope.WORK,
    body="schemas.Snooze",
    errors=(ALERT_NOT_FOUND, ALERT_NOT_OPEN),
)
def snooze_alert(request: Request) -> AlertDocument:
    """Snooze an alert.

    As an acknowledgement, until a time of your choice. If the account has not recovered by then, the next night alerts
    it.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (as above)

    fields = schemas.read_snooze(request.json(), request.received_at, MAX_SNOOZE)
    return _acknowledge(request, fields, until=parse_instant(fields["until"]))


def _acknowledge(request: Request, fields: Mapping[str, Any], *, until: datetime | None) -> AlertDocument:
    alert_id = request.params["alert_id"]
    try:
        acknowledged = acknowledgements.acknowledge(
            alert_id, by=fields["by"], reason=fields.get("reason"), at=request.received_at, until=until
        )
    except acknowledgements.AlertNotFoundError:
        raise ApiError(
            ALERT_NOT_FOUND,
            f"No account has an alert {shown(alert_id)}. Digests and workspace alerts cannot be acknowledged, and an "
            "alert that was made this very second may take another one to be found.",
        ) from None
    except acknowledgements.AlertNotOpenError as error:
        raise ApiError(ALERT_NOT_OPEN, f"There is nothing to acknowledge: the alert {error}.") from None
    return alert_document(acknowledged.alert, acknowledged.status, acknowledged.acknowledgement)


def _documents(found: Sequence[Message]) -> list[AlertDocument]:
    return [alert_document(message.body, message.status, message.acknowledgement) for message in found]


def alert_document(body: Mapping[str, Any], status: str, acknowledgement: Mapping[str, Any] | None) -> AlertDocument:
    """One alert as the API shows it, with its account's `path`, its `status` and its acknowledgement.

    Args:
        body: the alert as it is stored.
        status: `pending` until it was sent, then `sent`.
        acknowledgement: its newest acknowledgement or snooze, as it is stored; None where it has none.
    """
    alert = Alert.from_json(dict(body))
    return {
        **alert.to_json(),
        "path": None if alert.account_id is None else account_path(alert.account_id),
        "status": status,
        "handling": None if acknowledgement is None else _acknowledgement_document(acknowledgement),
    }


def _acknowledgement_document(stored: Mapping[str, Any]) -> AcknowledgementDocument:
    return {
        "status": stored["status"],
        "by": stored["by"],
        "reason": stored["reason"],
        "at": stored["at"],
        "until": stored["until"],
    }
