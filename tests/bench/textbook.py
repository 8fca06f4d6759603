"""The textbook design to compare with: an item per event and a counter per account and day, in one transaction.

The item's key is the event's id, and its condition that no such item exists, so that an event counts once; the counter
grows by the number of new events. Most people would build this first, and it is exact too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from healthscore.core.time import format_instant
from healthscore.storage.client import dynamodb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.model import Event

TABLE = "bench-textbook"
_EVENTS_A_TRANSACTION = 99
"""A transaction takes 100 items, and one is the counter."""


def create_table() -> None:
    """Create its one table."""
    dynamodb().create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )


def record(events: Sequence[Event]) -> int:
    """Store events of one account and day, each exactly once; returns how many were new."""
    accepted = 0
    for start in range(0, len(events), _EVENTS_A_TRANSACTION):
        accepted += _record(
            list({event.event_id: event for event in events[start : start + _EVENTS_A_TRANSACTION]}.values())
        )
    return accepted


def _record(events: list[Event]) -> int:
    while events:
        try:
            dynamodb().transact_write_items(TransactItems=[*map(_put, events), _count(events)])
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", [])
            fresh = [event for event, why in zip(events, reasons, strict=False) if why["Code"] == "None"]
            if len(fresh) == len(events) or not reasons:
                raise
            events = fresh
        else:
            return len(events)
    return 0


def _put(event: Event) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": TABLE,
            "Item": {
                "pk": {"S": event.account_id},
                "sk": {"S": f"event#{event.event_id}"},
                "name": {"S": event.name},
                "at": {"S": format_instant(event.at)},
                "user_id": {"S": event.user_id or ""},
                "session_id": {"S": event.session_id or ""},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def _count(events: list[Event]) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": {"pk": {"S": events[0].account_id}, "sk": {"S": f"count#{events[0].at.date()}"}},
            "UpdateExpression": "ADD events :count",
            "ExpressionAttributeValues": {":count": {"N": str(len(events))}},
        }
    }
