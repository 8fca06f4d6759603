"""Messages, that is alerts and digests, with their status (table History): the outbox as it is stored."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, millis, parse_instant
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from healthscore.core.alerts.model import Alert
    from healthscore.storage.codec import Attribute, Item
    from healthscore.storage.conditions import Condition
    from healthscore.storage.writes import Write

PENDING, HELD, SENT, WITHDRAWN = "pending", "held", "sent", "withdrawn"
"""The status of a message: see docs/alerts.md."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be sent: an alert, or a night's digest."""

    account_id: str | None
    """None for what is about the whole workspace."""
    message_id: str
    created_at: datetime
    body: dict[str, Any]
    status: str = PENDING
    """`pending` until it is `sent`, also while it is claimed; or `held` until the night is checked for a tracking
    outage, and then pending or `withdrawn`."""
    acknowledgement: dict[str, Any] | None = None
    """`core.alerts.acknowledgement.Acknowledgement` in its stored form."""

    @classmethod
    def of(cls, alert: Alert, status: str = PENDING) -> Message:
        """The message of an alert, or of a digest."""
        return cls(alert.account_id, alert.alert_id, alert.created_at, dict(alert.to_json()), status)


def add(message: Message) -> bool:
    """Store a message to be sent, unless one of the same account and id was stored before.

    Returns:
        Whether it was stored now.

    Raises:
        StorageUnavailableError: not stored.
    """
    try:
        writes.apply(put_new(message))
    except ConditionFailedError:
        return False
    return True


def put_new(message: Message, beside: Mapping[str, Attribute] | None = None) -> Write:
    """The write that stores a message unless it is there already.

    Args:
        message: the message.
        beside: further attributes of its item.
    """
    item = {
        **_key(message.account_id, message.message_id),
        "message": codec.json_text(message.body),
        "created_at": codec.text(format_instant(message.created_at)),
        "pending": codec.text(message.status),
        **(beside or {}),
    }
    if message.account_id is not None:
        item["alert_day"] = codec.text(message.body["day"])
    return writes.put(schema.history_table(), item, conditions.ABSENT)


def known(account_id: str | None, message_id: str) -> bool:
    """Whether a message was stored, whatever its status.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return reads.get(schema.history_table(), _key(account_id, message_id), ("pk",)) is not None


def pending() -> Iterator[tuple[str | None, str]]:
    """Account and id of the messages that are to be sent and not known to be, oldest first.

    The index behind it lags a little: a message may be missing that was just stored, or be there that was just sent.
    `claim` decides.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for item in _waiting(PENDING):
        yield _owner(item)


def held() -> Iterator[tuple[str | None, str, datetime]]:
    """Account, id and instant of the messages that are held, oldest first.

    The index behind it lags as for `pending`.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for item in _waiting(HELD):
        account_id, message_id = _owner(item)
        yield account_id, message_id, parse_instant(codec.text_of(item, "created_at"))


def _waiting(status: str) -> Iterator[Item]:
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
    _change(_update(account_id, message_id, _HELD, sets={"pending": codec.text(PENDING)}))


def withdraw(account_id: str | None, message_id: str) -> None:
    """Withdraw a held message: it stays readable and is never sent. Nothing happens where it is not held.

    Raises:
        StorageUnavailableError: it may still be held.
    """
    sets = {"outcome": codec.text(WITHDRAWN)}
    _change(_update(account_id, message_id, _HELD, sets=sets, removes=["pending"]))


def withdraw_all(account_id: str) -> None:
    """Withdraw all messages about an account that were not sent.

    Raises:
        StorageUnavailableError: some may still be sent.
    """
    request = reads.partition(
        schema.history_table(), schema.account_history(account_id), between=schema.alert_range(), only=_UNSENT
    )
    for item in pages(dynamodb().query, **request):
        sets = {"outcome": codec.text(WITHDRAWN)}
        _change(_update(*_owner(item), _UNSENT, sets=sets, removes=["pending", "claimed_until"]))


def claim(account_id: str | None, message_id: str, *, now: datetime, lease: timedelta) -> Message | None:
    """Take a message to send it: no other sender gets it before the lease is over.

    Returns:
        The message, or None where it has been sent, is held, or is claimed by another sender whose lease is not over.

    Raises:
        StorageUnavailableError: it is not known whether the message is claimed.
    """
    update = _update(
        account_id,
        message_id,
        conditions.equals("pending", codec.text(PENDING)),
        conditions.any_of(
            conditions.absent("claimed_until"), conditions.at_most("claimed_until", codec.number(millis(now)))
        ),
        sets={"claimed_until": codec.number(millis(now + lease))},
    )
    try:
        return stored_message(writes.updated(update))
    except ConditionFailedError:
        return None


def mark_sent(account_id: str | None, message_id: str, *, now: datetime) -> None:
    """Note that a message was sent; it leaves the index of pending messages.

    Raises:
        StorageUnavailableError: not noted: the message will be sent again once its lease is over.
    """
    sets = {"sent_at": codec.text(format_instant(now))}
    _change(_update(account_id, message_id, _UNSENT, sets=sets, removes=["pending", "claimed_until"]))


def release(account_id: str | None, message_id: str) -> None:
    """Give a claimed message back because sending it failed, for the next try to take it at once.

    Raises:
        StorageUnavailableError: not given back; it will be free when its lease is over.
    """
    _change(_update(account_id, message_id, _UNSENT, removes=["claimed_until"]))


_HELD = conditions.equals("pending", codec.text(HELD))
_UNSENT = conditions.exists("pending")


def _update(account_id: str | None, message_id: str, *holds: Condition, **changes: Any) -> Write:  # noqa: ANN401  (those of writes.update)
    return writes.update(schema.history_table(), _key(account_id, message_id), *holds, **changes)


def _change(update: Write) -> None:
    """Make an update whose condition fails only where another process has settled the message already."""
    with contextlib.suppress(ConditionFailedError):
        writes.apply(update)


def _key(account_id: str | None, message_id: str) -> Item:
    return codec.key(*schema.message_key(account_id, message_id))


def _owner(item: Item) -> tuple[str | None, str]:
    return schema.message_owner(codec.text_of(item, "pk"), codec.text_of(item, "sk"))


def stored_message(item: Item) -> Message:
    """The message in an item."""
    account_id, message_id = _owner(item)
    return Message(
        account_id=account_id,
        message_id=message_id,
        created_at=parse_instant(codec.text_of(item, "created_at")),
        body=codec.json_of(item, "message"),
        status=next((codec.text_of(item, name) for name in ("pending", "outcome") if name in item), SENT),
        acknowledgement=codec.json_of(item, "handling"),
    )
