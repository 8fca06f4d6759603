"""The workspace itself (table Settings): its settings and their versions, API keys."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from healthscore.core.time import format_instant, parse_instant
from healthscore.settings import Settings
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, TimezoneFixedError
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthscore.storage.codec import Item
    from healthscore.storage.conditions import Condition

_CURRENT = codec.key(schema.SETTINGS_PK, schema.CURRENT)
_TOO_MANY_WRITERS = "too many writers at once for the settings"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """The workspace's settings as they are stored."""

    version: int
    """0 before the first change of the defaults, then counting up."""
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
    """The key's last four characters, for people to recognise it."""
    valid_until: datetime | None = None
    """From when on it is invalid, where it has been replaced and is still good for a while."""


def settings() -> StoredSettings:
    """The present settings.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = reads.get(schema.settings_table(), _CURRENT)
    if item is None:
        return StoredSettings(0, Settings(), timezone_fixed=False)
    return StoredSettings(
        version=codec.number_of(item, "version"),
        settings=Settings.from_json(codec.json_of(item, "settings")) if "settings" in item else Settings(),
        timezone_fixed="timezone_fixed" in item,
    )


@retried(_TOO_MANY_WRITERS)
def save_settings(new: Settings, now: datetime) -> StoredSettings:
    """Replace the settings; every version is kept.

    Raises:
        TimezoneFixedError: another time zone was asked for although events have been accepted.
        StorageUnavailableError: not saved.
    """
    stored = settings()
    if new == stored.settings and stored.version:
        return stored
    moves = new.timezone != stored.settings.timezone
    if moves and stored.timezone_fixed:
        raise TimezoneFixedError(stored.settings.timezone)
    version, text = stored.version + 1, codec.json_text(new.to_json())
    holds = [_version_is(stored.version), *([conditions.absent("timezone_fixed")] if moves else [])]
    sets = {"version": codec.number(version), "settings": text}
    kept = {
        **codec.key(schema.SETTINGS_PK, schema.settings_version_key(version)),
        "settings": text,
        "saved_at": codec.text(format_instant(now)),
    }
    writes.transact(
        writes.update(schema.settings_table(), _CURRENT, *holds, sets=sets), writes.put(schema.settings_table(), kept)
    )
    return StoredSettings(version, new, stored.timezone_fixed)


@retried(_TOO_MANY_WRITERS)
def fix_timezone() -> StoredSettings:
    """Settle the time zone for good, before the first event is stored on one of its days.

    Returns:
        The settings under whose time zone events may now be stored.

    Raises:
        StorageUnavailableError: not settled.
    """
    stored = settings()
    if stored.timezone_fixed:
        return stored
    sets = {"version": codec.number(stored.version), "timezone_fixed": codec.flag(True)}
    writes.apply(writes.update(schema.settings_table(), _CURRENT, _version_is(stored.version), sets=sets))
    return StoredSettings(stored.version, stored.settings, timezone_fixed=True)


def find_key(key_hash: str, *, clock: Callable[[], datetime] = _now) -> ApiKey | None:
    """The API key with this SHA-256 (hexadecimal), or None where there is none that is valid.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = reads.get(schema.settings_table(), _key(key_hash))
    key = _api_key(item) if item else None
    return None if key is None or (key.valid_until is not None and key.valid_until <= clock()) else key


def add_key(key: ApiKey) -> None:
    """Make an API key valid.

    Raises:
        StorageUnavailableError: not stored.
    """
    item = {
        **_key(key.hash),
        "scope": codec.text(key.scope),
        "name": codec.text(key.name),
        "created_at": codec.text(format_instant(key.created_at)),
        "last4": codec.text(key.last4),
    }
    writes.apply(writes.put(schema.settings_table(), item))


def api_keys() -> list[ApiKey]:
    """Every API key that was not revoked, oldest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(dynamodb().query, **reads.partition(schema.settings_table(), schema.API_KEYS_PK))
    return sorted(map(_api_key, items), key=lambda key: key.created_at)


def revoke_key(key_hash: str) -> None:
    """Make an API key invalid; nothing happens where it is not valid.

    Raises:
        StorageUnavailableError: it is not known whether it is still valid.
    """
    writes.apply(writes.delete(schema.settings_table(), _key(key_hash)))


def expire_key(key_hash: str, until: datetime) -> None:
    """Let an API key be valid for a while only; nothing happens where it was revoked.

    Raises:
        StorageUnavailableError: it is not known until when it is valid.
    """
    sets = {"valid_until": codec.text(format_instant(until))}
    with contextlib.suppress(ConditionFailedError):
        writes.apply(writes.update(schema.settings_table(), _key(key_hash), conditions.EXISTS, sets=sets))


def _version_is(version: int) -> Condition:
    read = conditions.equals("version", codec.number(version))
    return read if version else conditions.any_of(conditions.absent("version"), read)


def _key(key_hash: str) -> Item:
    return codec.key(schema.API_KEYS_PK, key_hash)


def _api_key(item: Item) -> ApiKey:
    until = codec.optional_text_of(item, "valid_until")
    return ApiKey(
        hash=codec.text_of(item, "sk"),
        scope=codec.text_of(item, "scope"),
        name=codec.text_of(item, "name"),
        created_at=parse_instant(codec.text_of(item, "created_at")),
        last4=codec.text_of(item, "last4"),
        valid_until=None if until is None else parse_instant(until),
    )
