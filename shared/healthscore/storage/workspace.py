"""The workspace itself (table Settings): its settings and their versions, API keys."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, parse_instant
from healthscore.settings import Settings
from healthscore.storage import schema
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, TimezoneFixedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

_CURRENT = {"pk": {"S": "settings"}, "sk": {"S": "current"}}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """The workspace's settings as they stand."""

    version: int
    """0 while nobody has changed the defaults, then counting up."""
    settings: Settings
    timezone_fixed: bool
    """Whether events have been accepted, so that the time zone can no longer change."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of an API key: everything but the key."""

    hash: str
    """SHA-256 of the key, in hexadecimal."""
    scope: str
    """`write`, `read` or `admin`."""
    name: str
    created_at: datetime
    last4: str
    """The key's last four characters, to tell it by."""
    valid_until: datetime | None = None
    """From when on it is invalid, where it has been replaced and is still good for a while."""


def settings() -> StoredSettings:
    """The settings as they stand.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _get(_CURRENT)
    if item is None:
        return StoredSettings(0, Settings(), timezone_fixed=False)
    return StoredSettings(
        version=int(item["version"]["N"]),
        settings=Settings.from_json(json.loads(item["settings"]["S"])) if "settings" in item else Settings(),
        timezone_fixed="timezone_fixed" in item,
    )


def save_settings(new: Settings, now: datetime) -> StoredSettings:
    """Replace the settings; the version that is replaced is kept.

    Raises:
        TimezoneFixedError: another time zone was asked for although events have been accepted.
        StorageUnavailableError: not saved.
    """
    text = json.dumps(new.to_json(), ensure_ascii=False, separators=(",", ":"))
    patience = Backoff("too many writers at once for the settings")
    while True:
        stored = settings()
        if new == stored.settings and stored.version:
            return stored
        moves = new.timezone != stored.settings.timezone
        if moves and stored.timezone_fixed:
            raise TimezoneFixedError(stored.settings.timezone)
        version = stored.version + 1
        update = {
            "TableName": schema.settings_table(),
            "Key": _CURRENT,
            "UpdateExpression": "SET version = :version, settings = :settings",
            "ConditionExpression": _unchanged(stored.version) + (" AND attribute_not_exists(timezone_fixed)" * moves),
            "ExpressionAttributeValues": {
                ":read": {"N": str(stored.version)},
                ":version": {"N": str(version)},
                ":settings": {"S": text},
            },
        }
        kept = {
            "TableName": schema.settings_table(),
            "Item": {
                "pk": {"S": "settings"},
                "sk": {"S": f"v{version:06d}"},
                "settings": {"S": text},
                "saved_at": {"S": format_instant(now)},
            },
        }
        try:
            call(dynamodb().transact_write_items, TransactItems=[{"Update": update}, {"Put": kept}])
        except ConditionFailedError:
            patience.wait()
            continue
        return StoredSettings(version, new, stored.timezone_fixed)


def fix_timezone() -> StoredSettings:
    """Settle the time zone for good, before the first event is stored on one of its days.

    Returns:
        The settings under whose time zone events may now be stored.

    Raises:
        StorageUnavailableError: not settled.
    """
    patience = Backoff("too many writers at once for the settings")
    while True:
        stored = settings()
        if stored.timezone_fixed:
            return stored
        try:
            call(
                dynamodb().update_item,
                TableName=schema.settings_table(),
                Key=_CURRENT,
                UpdateExpression="SET version = :read, timezone_fixed = :true",
                ConditionExpression=_unchanged(stored.version),
                ExpressionAttributeValues={":read": {"N": str(stored.version)}, ":true": {"BOOL": True}},
            )
        except ConditionFailedError:
            patience.wait()
            continue
        return StoredSettings(stored.version, stored.settings, timezone_fixed=True)


def find_key(key_hash: str, *, clock: Callable[[], datetime] = _now) -> ApiKey | None:
    """The API key with this SHA-256 (hexadecimal), or None where there is none that is valid.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _get({"pk": {"S": "key"}, "sk": {"S": key_hash}})
    key = _api_key(item) if item else None
    return None if key is None or (key.valid_until is not None and key.valid_until <= clock()) else key


def add_key(key: ApiKey) -> None:
    """Make an API key valid.

    Raises:
        StorageUnavailableError: not stored.
    """
    call(
        dynamodb().put_item,
        TableName=schema.settings_table(),
        Item={
            "pk": {"S": "key"},
            "sk": {"S": key.hash},
            "scope": {"S": key.scope},
            "name": {"S": key.name},
            "created_at": {"S": format_instant(key.created_at)},
            "last4": {"S": key.last4},
        },
    )


def api_keys() -> list[ApiKey]:
    """Every API key that was not revoked, oldest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().query,
        TableName=schema.settings_table(),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "key"}},
        ConsistentRead=True,
    )
    return sorted(map(_api_key, items), key=lambda key: key.created_at)


def revoke_key(key_hash: str) -> None:
    """Make an API key invalid; nothing happens where it is not valid.

    Raises:
        StorageUnavailableError: it is not known whether it is still valid.
    """
    key = {"pk": {"S": "key"}, "sk": {"S": key_hash}}
    call(dynamodb().delete_item, TableName=schema.settings_table(), Key=key)


def expire_key(key_hash: str, until: datetime) -> None:
    """Let an API key be valid for a while only; nothing happens where it was revoked.

    Raises:
        StorageUnavailableError: it is not known until when it is valid.
    """
    with contextlib.suppress(ConditionFailedError):
        call(
            dynamodb().update_item,
            TableName=schema.settings_table(),
            Key={"pk": {"S": "key"}, "sk": {"S": key_hash}},
            UpdateExpression="SET valid_until = :until",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":until": {"S": format_instant(until)}},
        )


def _get(key: dict[str, Any]) -> dict[str, Any] | None:
    return call(dynamodb().get_item, TableName=schema.settings_table(), Key=key, ConsistentRead=True).get("Item")


def _unchanged(version: int) -> str:
    return "version = :read" if version else "(attribute_not_exists(version) OR version = :read)"


def _api_key(item: dict[str, Any]) -> ApiKey:
    return ApiKey(
        hash=item["sk"]["S"],
        scope=item["scope"]["S"],
        name=item["name"]["S"],
        created_at=parse_instant(item["created_at"]["S"]),
        last4=item["last4"]["S"],
        valid_until=parse_instant(item["valid_until"]["S"]) if "valid_until" in item else None,
    )
