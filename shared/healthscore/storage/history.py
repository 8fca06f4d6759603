"""What was said of each account (table History): nightly snapshots, CRM facts as received, messages to be sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.documents import crm_from_json, snapshot_from_json, snapshot_to_json
from healthscore.core.timeline import DAY, format_instant, millis, parse_instant
from healthscore.storage import keys
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime, timedelta

    from healthscore.core.model import CrmFacts, Snapshot

PENDING, HELD, SENT, WITHDRAWN = "pending", "held", "sent", "withdrawn"
"""What can become of a message: see docs/alerts.md."""


def put_snapshot(account_id: str, snapshot: Snapshot, *, replace: bool) -> Snapshot:
    """Keep a night's snapshot.

    Args:
        account_id: the account.
        snapshot: what the night found.
        replace: whether it takes the place of one that is there; otherwise the first one stands.

    Returns:
        The snapshot that stands.

    Raises:
        StorageUnavailableError: not kept.
    """
    text = json.dumps(snapshot_to_json(snapshot), ensure_ascii=False, separators=(",", ":"))
    key = _snapshot_key(account_id, snapshot.day)
    put: dict[str, Any] = {"TableName": keys.history_table(), "Item": {**key, "snapshot": {"S": text}}}
    if not replace:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    try:
        call(dynamodb().put_item, **put)
    except ConditionFailedError:
        item = call(dynamodb().get_item, TableName=keys.history_table(), Key=key, ConsistentRead=True).get("Item")
        if item is None:
            raise StorageUnavailableError("a snapshot is in between two states") from None
        return _snapshot(item)
    return snapshot


def snapshots(account_id: str, first: date, last: date, *, consistent: bool = False) -> list[Snapshot]:
    """The snapshots of the days from `first` to `last`, oldest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = _between(account_id, keys.snapshot_key(first), keys.snapshot_key(last), consistent=consistent)
    return [_snapshot(item) for item in items]


def snapshot_before(account_id: str, day: date) -> Snapshot | None:
    """The newest snapshot of a day before `day`, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _newest(account_id, keys.snapshot_key(day.min), keys.snapshot_key(day - DAY))
    return _snapshot(item) if item else None


def crm_as_of(account_id: str, at: datetime) -> CrmFacts | None:
    """The CRM facts that were the newest received at an instant, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _newest(account_id, keys.CRM_FIRST, keys.crm_key(at))
    return crm_from_json(json.loads(item["crm"]["S"])) if item else None


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


def add_message(message: Message) -> bool:
    """Store a message to be sent, unless one of the same account and id was stored before, sent or not.

    Returns:
        Whether it was stored now.

    Raises:
        StorageUnavailableError: not stored.
    """
    created = {"S": format_instant(message.created_at)}
    item = {
        **_message_key(message.account_id, message.message_id),
        "message": {"S": json.dumps(message.body, ensure_ascii=False, separators=(",", ":"))},
        "created_at": created,
        "pending": {"S": message.status},
    }
    if message.account_id is not None:
        item["alert_day"] = {"S": message.body["day"]}
    try:
        call(
            dynamodb().put_item,
            TableName=keys.history_table(),
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
        )
    except ConditionFailedError:
        return False
    return True


def pending_messages() -> Iterator[tuple[str | None, str]]:
    """Account and id of the messages that are to be sent and not known to be, oldest first.

    The index behind it lags a little: a message may be missing that was just stored, or be there that was just sent.
    `claim` decides.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for item in _waiting(PENDING):
        yield keys.message_owner(item["pk"]["S"], item["sk"]["S"])


def held_messages() -> Iterator[tuple[str | None, str, datetime]]:
    """Account, id and instant of the messages that are held, oldest first.

    The index behind it lags as for `pending_messages`.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for item in _waiting(HELD):
        account_id, message_id = keys.message_owner(item["pk"]["S"], item["sk"]["S"])
        yield account_id, message_id, parse_instant(item["created_at"]["S"])


def _waiting(status: str) -> Iterator[dict[str, Any]]:
    return pages(
        dynamodb().query,
        TableName=keys.history_table(),
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
            TableName=keys.history_table(),
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
            TableName=keys.history_table(),
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
        "TableName": keys.history_table(),
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
    pk, sk = keys.message_key(account_id, message_id)
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def stored_message(item: dict[str, Any]) -> Message:
    """The message in an item."""
    account_id, message_id = keys.message_owner(item["pk"]["S"], item["sk"]["S"])
    return Message(
        account_id=account_id,
        message_id=message_id,
        created_at=parse_instant(item["created_at"]["S"]),
        body=json.loads(item["message"]["S"]),
        status=next((item[name]["S"] for name in ("pending", "outcome") if name in item), SENT),
    )


def _snapshot_key(account_id: str, day: date) -> dict[str, Any]:
    return {"pk": {"S": keys.account_history(account_id)}, "sk": {"S": keys.snapshot_key(day)}}


def _snapshot(item: dict[str, Any]) -> Snapshot:
    return snapshot_from_json(json.loads(item["snapshot"]["S"]))


def _range(account_id: str, first: str, last: str) -> dict[str, Any]:
    return {
        "TableName": keys.history_table(),
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": keys.account_history(account_id)},
            ":first": {"S": first},
            ":last": {"S": last},
        },
    }


def _between(account_id: str, first: str, last: str, *, consistent: bool) -> Iterator[dict[str, Any]]:
    return pages(dynamodb().query, **_range(account_id, first, last), ConsistentRead=consistent)


def _newest(account_id: str, first: str, last: str) -> dict[str, Any] | None:
    page = call(
        dynamodb().query,
        **_range(account_id, first, last),
        ScanIndexForward=False,
        Limit=1,
        ConsistentRead=True,
    )
    return page["Items"][0] if page["Items"] else None
