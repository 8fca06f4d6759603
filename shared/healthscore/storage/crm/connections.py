"""A connected CRM (table Settings): its options, the progress of its sync, and the webhooks that were taken.

pk crm,     sk hubspot  options, cursor, status, and the lock of the run at work
pk webhook, sk a hash   a webhook that was taken; expires by itself
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, millis, parse_instant
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from healthscore.storage.codec import Item

_LOCK = ("lock_owner", "lock_until")


@dataclass(frozen=True, slots=True)
class Connection:
    """A CRM that is connected."""

    provider: str
    options: dict[str, Any]
    connected_at: datetime
    state: dict[str, Any] = field(default_factory=dict)
    """The progress of the sync, as the sync keeps it."""
    status: dict[str, Any] = field(default_factory=dict)
    """The results of the last runs."""
    disconnecting: bool = False
    """Whether all its facts are being taken back."""

    @property
    def read_once(self) -> bool:
        """Whether everything was read under the present options."""
        return "base" in self.state


def connect(provider: str, options: dict[str, Any], now: datetime) -> Connection:
    """Connect a CRM, or change its options; the next run reads everything again.

    Raises:
        StorageUnavailableError: not stored.
    """
    update = writes.update(
        schema.settings_table(),
        _key(provider),
        sets={"options": codec.json_text(options)},
        defaults={"connected_at": codec.text(format_instant(now))},
        removes=["state", *_LOCK, "disconnecting"],
    )
    return _connection(writes.updated(update))


def connections() -> list[Connection]:
    """The CRMs that are connected.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(schema.settings_table(), schema.CONNECTIONS_PK)
    return [_connection(item) for item in pages(dynamodb().query, **request)]


def connection(provider: str) -> Connection | None:
    """One connected CRM, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = reads.get(schema.settings_table(), _key(provider))
    return _connection(item) if item else None


def begin_disconnecting(provider: str) -> bool:
    """Have the next run take back all facts of a CRM; False where it is not connected.

    Raises:
        StorageUnavailableError: not begun.
    """
    update = writes.update(
        schema.settings_table(),
        _key(provider),
        conditions.exists("options"),
        sets={"disconnecting": codec.flag(True)},
        removes=_LOCK,
    )
    return _held(update)


def disconnect(provider: str, owner: str) -> None:
    """Forget the connection, unless it was made again meanwhile.

    Raises:
        StorageUnavailableError: not forgotten.
    """
    with contextlib.suppress(ConditionFailedError):
        writes.apply(writes.delete(schema.settings_table(), _key(provider), _locked_by(owner)))


def lock(provider: str, owner: str, now: datetime, lease: timedelta) -> Connection | None:
    """Begin to work on a CRM; None where it is not connected, or another run is at work whose lease is not over.

    Raises:
        StorageUnavailableError: not begun.
    """
    update = writes.update(
        schema.settings_table(),
        _key(provider),
        conditions.exists("options"),
        conditions.any_of(conditions.absent("lock_until"), conditions.below("lock_until", codec.number(millis(now)))),
        sets={"lock_owner": codec.text(owner), "lock_until": codec.number(millis(now + lease))},
    )
    try:
        return _connection(writes.updated(update))
    except ConditionFailedError:
        return None


def save_progress(provider: str, owner: str, state: dict[str, Any], status: dict[str, Any], *, unlock: bool) -> bool:
    """Keep the progress of a sync; False where another run has taken over, or the CRM was disconnected.

    Raises:
        StorageUnavailableError: not kept.
    """
    update = writes.update(
        schema.settings_table(),
        _key(provider),
        _locked_by(owner),
        sets={"state": codec.json_text(state), "status": codec.json_text(status)},
        removes=_LOCK if unlock else (),
    )
    return _held(update)


def webhook_known(digest: str) -> bool:
    """Whether a webhook was taken before.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return reads.get(schema.settings_table(), codec.key(schema.WEBHOOKS_PK, digest)) is not None


def note_webhook(digest: str, until: datetime) -> None:
    """Note that a webhook was taken; it is forgotten some time after `until`.

    Raises:
        StorageUnavailableError: not noted.
    """
    item = {**codec.key(schema.WEBHOOKS_PK, digest), "ttl": codec.number(int(until.timestamp()))}
    writes.apply(writes.put(schema.settings_table(), item))


def _key(provider: str) -> Item:
    return codec.key(schema.CONNECTIONS_PK, provider)


def _locked_by(owner: str) -> conditions.Condition:
    return conditions.equals("lock_owner", codec.text(owner))


def _held(write: writes.Write) -> bool:
    """Make a write; answers whether its condition held."""
    try:
        writes.apply(write)
    except ConditionFailedError:
        return False
    return True


def _connection(item: Item) -> Connection:
    return Connection(
        provider=codec.text_of(item, "sk"),
        options=codec.json_of(item, "options"),
        connected_at=parse_instant(codec.text_of(item, "connected_at")),
        state=codec.json_of(item, "state", {}),
        status=codec.json_of(item, "status", {}),
        disconnecting="disconnecting" in item,
    )
