"""Acknowledging and snoozing alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.alerts.acknowledgement import MAX_SNOOZE, Acknowledgement, AcknowledgementStatus
from healthscore.core.alerts.model import Alert, AlertKind
from healthscore.core.time import from_millis, millis
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import acknowledgements, messages
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from healthscore.storage.alerts.messages import Message


class AlertNotFoundError(Exception):
    """No account that a night has scored has such an alert."""


class AlertNotOpenError(Exception):
    """The alert cannot be acknowledged; the message says why, and completes a sentence that begins with "the alert"."""


class AcknowledgedAlert(NamedTuple):
    """An alert and its acknowledgement, as they are stored."""

    alert: Mapping[str, Any]
    status: str
    """`pending` until it was sent, then `sent`."""
    acknowledgement: Mapping[str, Any]


@retried(accounts.TOO_MANY_WRITERS)
def acknowledge(
    alert_id: str, *, by: str, reason: str | None, at: datetime, until: datetime | None
) -> AcknowledgedAlert:
    """Acknowledge or snooze an alert, unless the same acknowledgement is in force; of two at once, the later one stays.

    Args:
        alert_id: of an account's alert.
        by: who acknowledges it.
        reason: why, or how.
        at: now, aware; kept to the millisecond.
        until: when a snooze ends, aware; None to acknowledge, which ends after `MAX_SNOOZE`.

    Raises:
        AlertNotFoundError: see there.
        AlertNotOpenError: the alert was withdrawn, or is good news.
        StorageUnavailableError: it is not known whether the acknowledgement is kept.
    """
    at = from_millis(millis(at))
    found = acknowledgements.find(alert_id)
    account = accounts.get(found.account_id) if found and found.account_id else None
    if found is None or account is None or account.latest is None:
        raise AlertNotFoundError(alert_id)
    alert = Alert.from_json(found.body)
    _check_open(alert, found)
    acknowledgement = Acknowledgement(
        alert_id=alert_id,
        kind=alert.kind,
        status=AcknowledgementStatus.ACKNOWLEDGED if until is None else AcknowledgementStatus.SNOOZED,
        by=by,
        reason=reason,
        at=at,
        until=at + MAX_SNOOZE if until is None else until,
        day=account.latest.day,
        score=account.latest.score,
    )
    stored = account.acknowledgement
    if stored is not None and _in_force(stored, acknowledgement):
        return AcknowledgedAlert(found.body, found.status, stored.to_json())
    acknowledgements.keep(account.account_id, acknowledgement, str(found.account_id))
    return AcknowledgedAlert(found.body, found.status, acknowledgement.to_json())


def _in_force(stored: Acknowledgement, acknowledgement: Acknowledgement) -> bool:
    """Whether the stored acknowledgement says the same as the new one, and has not ended."""
    return acknowledgement.repeats(stored) and acknowledgement.at < stored.until


def _check_open(alert: Alert, found: Message) -> None:
    if found.status == messages.WITHDRAWN:
        raise AlertNotOpenError("was withdrawn: it turned out to be no news, and was never sent")
    if alert.kind is AlertKind.RECOVERED:
        raise AlertNotOpenError("is good news")
