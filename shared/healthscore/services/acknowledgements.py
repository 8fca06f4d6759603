"""What people say about an alert: "I have it", and "not before that time"."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.api.alerts import alert_document
from healthscore.core.alerts.model import Alert, AlertKind
from healthscore.core.alerts.suppression import MAX_SNOOZE, Acknowledgement, AcknowledgementStatus
from healthscore.core.time import from_millis, millis, parse_instant
from healthscore.http import query
from healthscore.http.errors import ApiError, shown
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import acknowledgements, messages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from healthscore.core.account import Account
    from healthscore.http.request import Request
    from healthscore.storage.alerts.messages import Message


def acknowledge(request: Request) -> dict[str, Any]:
    """Answer `POST /v1/alerts/{alert_id}/acknowledge`: somebody has the account's trouble in hand.

    Raises:
        ApiError: 400 `invalid_request`, 404 `alert_not_found`, or 409 `alert_not_open`.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (Pydantic: only for requests that have a body to check)

    query.only(request)
    return _handle(request, AcknowledgementStatus.ACKNOWLEDGED, schemas.read_acknowledgement(request.json()))


def snooze(request: Request) -> dict[str, Any]:
    """Answer `POST /v1/alerts/{alert_id}/snooze`: the account's trouble is not to be told before a time.

    Raises:
        ApiError: 400 `invalid_request`, 404 `alert_not_found`, or 409 `alert_not_open`.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (as above)

    query.only(request)
    said = schemas.read_snooze(request.json(), request.received_at, MAX_SNOOZE)
    return _handle(request, AcknowledgementStatus.SNOOZED, said)


def _handle(request: Request, status: AcknowledgementStatus, said: dict[str, Any]) -> dict[str, Any]:
    """Keep what was said, unless the same was said before and still holds; of two at once, the later one stands."""
    alert_id = request.params["alert_id"]
    at = from_millis(millis(request.received_at))
    patience = Backoff("too many writers at once for one account")
    while True:
        found = acknowledgements.find(alert_id)
        account = accounts.get(found.account_id) if found and found.account_id else None
        if found is None or account is None or account.latest is None:
            raise _not_found(alert_id)
        alert = Alert.from_json(found.body)
        _must_be_open(alert, found)
        acknowledgement = Acknowledgement(
            alert_id=alert_id,
            kind=alert.kind,
            status=status,
            by=said["by"],
            reason=said.get("reason"),
            at=at,
            until=parse_instant(said["until"]) if "until" in said else at + MAX_SNOOZE,
            day=account.latest.day,
            score=account.latest.score,
        )
        if _holds_already(acknowledgement, account):
            return alert_document(found.body, found.status, account.acknowledgement)
        try:
            acknowledgements.keep(account.account_id, acknowledgement)
        except ConditionFailedError:
            patience.wait()
            continue
        return alert_document(found.body, found.status, acknowledgement.to_json())


def _holds_already(acknowledgement: Acknowledgement, account: Account) -> bool:
    if account.acknowledgement is None:
        return False
    standing = Acknowledgement.from_json(account.acknowledgement)
    return acknowledgement.says(standing) and acknowledgement.at < standing.until


def _must_be_open(alert: Alert, found: Message) -> None:
    if found.status == messages.WITHDRAWN:
        raise _not_open("was withdrawn: it turned out to be no news, and was never sent")
    if alert.kind is AlertKind.RECOVERED:
        raise _not_open("is good news")


def _not_found(alert_id: str) -> ApiError:
    return ApiError(
        HTTPStatus.NOT_FOUND,
        "alert_not_found",
        f"There is no alert {shown(alert_id)} of an account. What is said of the whole workspace cannot be "
        "acknowledged, and an alert that was made this very second may take another one to be found.",
    )


def _not_open(why: str) -> ApiError:
    return ApiError(HTTPStatus.CONFLICT, "alert_not_open", f"There is nothing to take in hand: the alert {why}.")
