"""Messages to be sent, alerts and digests, and what became of them (table History): the outbox as it is stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, millis, parse_instant
from healthscore.storage import schema
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from healthscore.core.alerts.model import Alert

PENDING, HELD, SENT, WITHDRAWN = "pending", "held", "sent", "withdrawn"
"""What can become of a message: see docs/alerts.md."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be sent: an alert, or a night's digest."""

    account_id: str | None
    """None for what is about the whole workspace."""
    message_id: str
    created_at: datetime
    body: dict[str, Any]
    status: str = PENDING
    """`pending` until it is `sent`, which a claim does not show; or `held` until the night is judged, and then pending
    or `withdrawn`."""
    acknowledgement: dict[str, Any] | None = None
    """What somebody has said about it: `core.alerts.acknowledgement.Acknowledgement` in its stored form."""

    @classmethod
    def of(cls, alert: Alert, status: str = PENDING) -> Message:
        """The message that an alert, or a digest, goes out as."""
        return cls(alert.account_id, alert.alert_id, alert.created_at, dict(alert.to_json()), status)


def add(message: Message) -> bool:
    """Store a message to be sent, unless one of the same account and id was stored before, sent or not.

    Returns:
        Whether it was stored now.

    Raises:
        StorageUnavailableError: not stored.
    """
    try:
        call(dynamodb().put_item, **put_request(message))
    except ConditionFailedError:
        return False
    return True


def put_request(message: Message) -> dict[str, Any]:
    """What stores a message that is not there yet: for a call of its own, or in a transaction with what it tells of."""
    item = {
        **_message_key(message.account_id, message.message_id),
        "message": {"S": json.dumps(message.body, ensure_ascii=False, separators=(",", ":"))},
        "created_at": {"S": format_instant(message.created_at)},
        "pending": {"S": message.status},
    }
    if message.account_id is not None:
        item["alert_day"] = {"S": message.body["day"]}
    return {"TableName": schema.history_table(), "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}


def known(account_id: str | None, message_id: str) -> bool:
    """Whether a message was stored, whatever became of it.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    key = _message_key(account_id, message_id)
    answer = call(
        dynamodb().get_item,
        TableName=schema.history_table(),
        Key=key,
        ProjectionExpression="pk",
        ConsistentRead=True,
    )
    return "Item" in answer


def pending() -> Iterator[tuple[str | None, str]]:
    """Account and id of the messages that are to be sent and not known to be, oldest first.

    The index behind it lags a little: a message may be missing that was just stored, or be there that was just sent.
    `claim` decides.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for item in _waiting(PENDING):
        yield schema.message_owner(item["pk"]["S"], item["sk"]["S"])


def held() -> Iterator[tuple[str | None, str, datetime]]:
    """Account, id and instant of the messages that are held, oldest first.

    The index behind it lags as for `pending`.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for item in _waiting(HELD):
        account_id, message_id = schema.message_owner(item["pk"]["S"], item["sk"]["S"])
        yield account_id, message_id, parse_instant(item["created_at"]["S"])


def _waiting(status: str) -> Iterator[dict[str, Any]]:
    return pages(
        dynamodb().query,
        TableName=schema.history_table(),
        IndexName="pending",
        KeyConditionExpression="pending = :status",
        ExpressionAttributeValues={":status": {"S": status}},
    )


def let_go(account_id: str | None, message_id: str) -> None:
    """Make a held message pending; nothing happens where it is not held.

    Raises:
        StorageUnavailableError: it may still be held.
    """
    _end_hold(account_id, message_id, "SET pending = :as", PENDING)


def withdraw(account_id: str | None, message_id: str) -> None:
    """Give a held message up: it stays readable and is never sent. Nothing happens where it is not held.

    Raises:
        StorageUnavailableError: it may still be held.
    """
    _end_hold(account_id, message_id, "SET outcome = :as REMOVE pending", WITHDRAWN)


def _end_hold(account_id: str | None, message_id: str, expression: str, status: str) -> None:
    try:
        call(
            dynamodb().update_item,
            TableName=schema.history_table(),
            Key=_message_key(account_id, message_id),
            UpdateExpression=expression,
            ConditionExpression="pending = :held",
            ExpressionAttributeValues={":held": {"S": HELD}, ":as": {"S": status}},
        )
    except ConditionFailedError:
        return  # somebody else has ended it


def claim(account_id: str | None, message_id: str, *, now: datetime, lease: timedelta) -> Message | None:
    """Take a message to send it: nobody else gets it before the lease is over.

    Returns:
        The message, or None where it has been sent, is held, or is claimed by somebody else whose lease is not over.

    Raises:
        StorageUnavailableError: it is not known whether the message is claimed.
    """
    try:
        item = call(
            dynamodb().update_item,
            TableName=schema.history_table(),
            Key=_message_key(account_id, message_id),
            UpdateExpression="SET claimed_until = :until",
            ConditionExpression="pending = :pending AND (attribute_not_exists(claimed_until) OR claimed_until <= :now)",
            ExpressionAttributeValues={
                ":pending": {"S": PENDING},
                ":now": {"N": str(millis(now))},
                ":until": {"N": str(millis(now + lease))},
            },
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except ConditionFailedError:
        return None
    return stored_message(item)


def mark_sent(account_id: str | None, message_id: str, *, now: datetime) -> None:
    """Note that a message was sent; it leaves the index of pending messages.

    Raises:
        StorageUnavailableError: not noted: the message will be sent again once its lease is over.
    """
    _settle(account_id, message_id, "SET sent_at = :now REMOVE pending, claimed_until", {":now": format_instant(now)})


def release(account_id: str | None, message_id: str) -> None:
    """Give a claimed message back because sending it failed, for the next try to take it at once.

    Raises:
        StorageUnavailableError: not given back; it will be free when its lease is over.
    """
    _settle(account_id, message_id, "REMOVE claimed_until", {})


def _settle(account_id: str | None, message_id: str, expression: str, values: dict[str, str]) -> None:
    update: dict[str, Any] = {
        "TableName": schema.history_table(),
        "Key": _message_key(account_id, message_id),
        "UpdateExpression": expression,
        "ConditionExpression": "attribute_exists(pending)",
    }
    if values:
        update["ExpressionAttributeValues"] = {name: {"S": text} for name, text in values.items()}
    try:
        call(dynamodb().update_item, **update)
    except ConditionFailedError:
        return  # somebody else, after our lease was over, has sent it


def _message_key(account_id: str | None, message_id: str) -> dict[str, Any]:
    pk, sk = schema.message_key(account_id, message_id)
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def stored_message(item: dict[str, Any]) -> Message:
    """The message in an item."""
    account_id, message_id = schema.message_owner(item["pk"]["S"], item["sk"]["S"])
    return Message(
        account_id=account_id,
        message_id=message_id,
        created_at=parse_instant(item["created_at"]["S"]),
        body=json.loads(item["message"]["S"]),
        status=next((item[name]["S"] for name in ("pending", "outcome") if name in item), SENT),
        acknowledgement=json.loads(item["handling"]["S"]) if "handling" in item else None,
    )
