"""Alerts: those of a night or of an account, and what people say about them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from healthscore.api.answers import ACCOUNT_NOT_FOUND, account_not_found, account_path
from healthscore.core.alerts.acknowledgement import MAX_SNOOZE
from healthscore.core.alerts.model import Alert, AlertKind, Severity
from healthscore.core.time import day_of, parse_instant
from healthscore.http.api_keys import Scope
from healthscore.http.cursors import CURSOR, read_cursor, write_cursor
from healthscore.http.errors import ApiError, ErrorKind, invalid_request, shown
from healthscore.http.ids import MAX_ACCOUNT_ID
from healthscore.http.plain import MAX_TEXT
from healthscore.http.query import Day, Limit, OneOf, Text
from healthscore.http.route import route
from healthscore.services import acknowledgements
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

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

    _Days = TypedDict("_Days", {"from": json_types.Day, "to": json_types.Day})

    class AlertList(_Days):
        """All accounts' alerts of some nights."""

        date: json_types.Day | None
        """The night's day, where it is one night."""
        alerts: list[AlertDocument]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last. Where few of many alerts are asked for, a page may
        have fewer than `limit`, or none, and not be the last."""


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
MAX_DAYS = 31
OF_ALL = (AlertKind.FLEET_SILENT, AlertKind.DIGEST)
"""Kinds about the whole workspace, which no list of alerts has."""
_DATE = Day("date", "One night's day: the same as `from` and `to`; today where all three are left out.")
_FROM = Day("from", "The first night's day; that of the last where it is left out.")
_TO = Day("to", f"The last night's day; today where it is left out. At most {MAX_DAYS} days in all.")
_OWNER = Text("owner", "Those of this owner's accounts, as the alert names the owner.", MAX_TEXT)
_ACCOUNT = Text("account", "Those of this account.", MAX_ACCOUNT_ID)
_KIND = OneOf("kind", "Those of this kind.", [kind.value for kind in AlertKind if kind not in OF_ALL])
_SEVERITY = OneOf("severity", "Those of this severity.", [one.value for one in Severity])
_LIMIT = Limit(most=200, default=50)


@route(
    "GET /v1/alerts",
    scope=Scope.READ,
    query=(_DATE, _FROM, _TO, _OWNER, _ACCOUNT, _KIND, _SEVERITY, _LIMIT, CURSOR),
)
def list_alerts(request: Request) -> AlertList:
    """The alerts of a night, or of some.

    Of all accounts: the newest night first, those of a night by kind. Every filter narrows them down.
    """
    first, last = _days(request)
    fields = {
        "owner": _OWNER.read(request),
        "account_id": _ACCOUNT.read(request),
        "kind": _KIND.read(request),
        "severity": _SEVERITY.read(request),
    }
    asked = {field: value for field, value in fields.items() if value is not None}
    question = ["alerts", first.isoformat(), last.isoformat(), *(f"{field} {value}" for field, value in asked.items())]
    limit, after = _LIMIT.read(request), read_cursor(request, question)

    def wanted(message: Message) -> bool:
        return all(message.body.get(field) == value for field, value in asked.items())

    found, place = lists.of_days(first, last, wanted if asked else None, limit=limit, after=after)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "date": first.isoformat() if first == last else None,
        "alerts": _documents(found),
        "next_cursor": write_cursor(question, place),
    }


def _days(request: Request) -> tuple[date, date]:
    """The first and the last day that a request asks about."""
    day, first, last = (one.read(request) for one in (_DATE, _FROM, _TO))
    if day is not None and (first is not None or last is not None):
        raise invalid_request("date is one night, from and to are the ends of several: send one or the other.")
    last = day or last or day_of(request.received_at, workspace.settings().settings.zone)
    first = first or last
    if not 0 <= (last - first).days < MAX_DAYS:
        raise invalid_request(f"from must not be after to, and both at most {MAX_DAYS} days in all.")
    return first, last


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
