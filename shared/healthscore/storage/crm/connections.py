"""A connected CRM (table Settings): its options, and where its sync stands.

pk crm,     sk hubspot  options, cursor, status, and who is at work on it
pk webhook, sk a hash   a webhook that was taken; expires by itself
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, millis, parse_instant
from healthscore.storage import schema
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Connection:
    """A CRM that is connected."""

    provider: str
    options: dict[str, Any]
    connected_at: datetime
    state: dict[str, Any] = field(default_factory=dict)
    """Where the sync stands, as the sync keeps it."""
    status: dict[str, Any] = field(default_factory=dict)
    """What came of the last runs."""
    disconnecting: bool = False
    """Whether all that came from it is being taken back."""

    @property
    def read_once(self) -> bool:
        """Whether everything was read under the present options."""
        return "base" in self.state


def connect(provider: str, options: dict[str, Any], now: datetime) -> Connection:
    """Connect a CRM, or change its options; the next run reads everything anew.

    Raises:
        StorageUnavailableError: not stored.
    """
    item = call(
        dynamodb().update_item,
        TableName=schema.settings_table(),
        Key=_connection_key(provider),
        UpdateExpression="SET options = :options, connected_at = if_not_exists(connected_at, :now) "
        "REMOVE #state, lock_owner, lock_until, disconnecting",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":options": _text(options), ":now": {"S": format_instant(now)}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    return _connection(item)


def connections() -> list[Connection]:
    """The CRMs that are connected.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = {
        "TableName": schema.settings_table(),
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "crm"}},
    }
    return [_connection(item) for item in pages(dynamodb().query, ConsistentRead=True, **request)]


def connection(provider: str) -> Connection | None:
    """One connected CRM, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    key = _connection_key(provider)
    item = call(dynamodb().get_item, TableName=schema.settings_table(), Key=key, ConsistentRead=True).get("Item")
    return _connection(item) if item else None


def begin_disconnecting(provider: str) -> bool:
    """Have all that came from a CRM taken back by the next run; False where it is not connected.

    Raises:
        StorageUnavailableError: not begun.
    """
    try:
        call(
            dynamodb().update_item,
            TableName=schema.settings_table(),
            Key=_connection_key(provider),
            UpdateExpression="SET disconnecting = :true REMOVE lock_owner, lock_until",
            ConditionExpression="attribute_exists(options)",
            ExpressionAttributeValues={":true": {"BOOL": True}},
        )
    except ConditionFailedError:
        return False
    return True


def disconnect(provider: str, owner: str) -> None:
    """Forget the connection, unless it was made anew meanwhile.

    Raises:
        StorageUnavailableError: not forgotten.
    """
    with contextlib.suppress(ConditionFailedError):
        call(
            dynamodb().delete_item,
            TableName=schema.settings_table(),
            Key=_connection_key(provider),
            ConditionExpression="lock_owner = :owner",
            ExpressionAttributeValues={":owner": {"S": owner}},
        )


def lock(provider: str, owner: str, now: datetime, lease: timedelta) -> Connection | None:
    """Begin to work on a CRM; None where it is not connected, or somebody else is at work whose lease is not over.

    Raises:
        StorageUnavailableError: not begun.
    """
    try:
        item = call(
            dynamodb().update_item,
            TableName=schema.settings_table(),
            Key=_connection_key(provider),
            UpdateExpression="SET lock_owner = :owner, lock_until = :until",
            ConditionExpression="attribute_exists(options) AND (attribute_not_exists(lock_until) OR lock_until < :now)",
            ExpressionAttributeValues={
                ":owner": {"S": owner},
                ":now": {"N": str(millis(now))},
                ":until": {"N": str(millis(now + lease))},
            },
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except ConditionFailedError:
        return None
    return _connection(item)


def save_progress(provider: str, owner: str, state: dict[str, Any], status: dict[str, Any], *, unlock: bool) -> bool:
    """Keep where the sync stands; False where somebody else has taken over, or the CRM was disconnected.

    Raises:
        StorageUnavailableError: not kept.
    """
    try:
        call(
            dynamodb().update_item,
            TableName=schema.settings_table(),
            Key=_connection_key(provider),
            UpdateExpression="SET #state = :state, #status = :status" + (" REMOVE lock_owner, lock_until" * unlock),
            ConditionExpression="lock_owner = :owner",
            ExpressionAttributeNames={"#state": "state", "#status": "status"},
            ExpressionAttributeValues={":state": _text(state), ":status": _text(status), ":owner": {"S": owner}},
        )
    except ConditionFailedError:
        return False
    return True


def webhook_known(digest: str) -> bool:
    """Whether a webhook was taken before.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    key = {"pk": {"S": "webhook"}, "sk": {"S": digest}}
    return "Item" in call(dynamodb().get_item, TableName=schema.settings_table(), Key=key, ConsistentRead=True)


def note_webhook(digest: str, until: datetime) -> None:
    """Note that a webhook was taken; it is forgotten some time after `until`.

    Raises:
        StorageUnavailableError: not noted.
    """
    item = {"pk": {"S": "webhook"}, "sk": {"S": digest}, "ttl": {"N": str(int(until.timestamp()))}}
    call(dynamodb().put_item, TableName=schema.settings_table(), Item=item)


def _connection_key(provider: str) -> dict[str, Any]:
    return {"pk": {"S": "crm"}, "sk": {"S": provider}}


def _text(value: Any) -> dict[str, str]:  # noqa: ANN401  (JSON)
    return {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}


def _connection(item: dict[str, Any]) -> Connection:
    return Connection(
        provider=item["sk"]["S"],
        options=json.loads(item["options"]["S"]),
        connected_at=parse_instant(item["connected_at"]["S"]),
        state=json.loads(item["state"]["S"]) if "state" in item else {},
        status=json.loads(item["status"]["S"]) if "status" in item else {},
        disconnecting="disconnecting" in item,
    )
