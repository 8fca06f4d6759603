"""Manifests of the dataset's nights (table Settings), and the lock under which a night's files are written.

A night has one writer at a time: only who has its lock puts or deletes files of the night. The lock ends by itself at
the time at which its holder's invocation ends at the latest, so nobody writes after that. It is given back only once
the bucket has no other files of the night than the manifest names. So a night without a lock has no stray files, and
one with a lock that has ended has files of a writer that died.
"""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.dataset.manifest import Manifest
from healthscore.core.time import millis
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from healthscore.storage.codec import Item

MARGIN = timedelta(seconds=30)
"""How far the clocks of two machines may differ."""
_FEW = 3
"""Nights read at once to find the newest one that has a manifest."""
_MANIFEST, _HOLDER, _UNTIL = "manifest", "holder", "until"


class NightLockedError(StorageUnavailableError):
    """Somebody else is writing the night; it is free in some minutes at most."""

    retry_after_seconds = 60


class Night(NamedTuple):
    """What is stored of a night."""

    day: date
    manifest: Manifest | None
    """None before its files were committed for the first time."""
    locked: bool
    """Whether it has a lock, even one that has ended."""


class Lock(NamedTuple):
    """A lock that is held on a night."""

    day: date
    holder: str
    manifest: Manifest | None
    """The night's manifest when the lock was taken; None where it had none."""


def newest(before: date | None = None) -> Manifest | None:
    """The manifest of the newest night; with `before`, of the newest one before that day. None where there is none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    last = "~" if before is None else (before - timedelta(days=1)).isoformat()
    request = reads.partition(
        schema.settings_table(), schema.NIGHTS_PK, between=(date.min.isoformat(), last), consistent=True
    )
    nights = map(_night, pages(dynamodb().query, **request, ScanIndexForward=False, Limit=_FEW))
    return next((night.manifest for night in nights if night.manifest is not None), None)


def every() -> Iterator[Night]:
    """All nights, oldest first, read consistently.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(schema.settings_table(), schema.NIGHTS_PK, consistent=True)
    return map(_night, pages(dynamodb().query, **request))


def of_night(day: date) -> Manifest | None:
    """The manifest of a night; None where it has none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = reads.get(schema.settings_table(), _key(day))
    return None if item is None else _night(item).manifest


def lock(day: date, now: datetime, until: datetime) -> Lock:
    """Take the lock of a night.

    Args:
        day: the night.
        now: the time, aware.
        until: when this invocation ends at the latest, aware.

    Raises:
        NightLockedError: somebody else has it.
        StorageUnavailableError: it is not known who has it; it ends by itself.
    """
    holder = secrets.token_urlsafe(8)
    free = conditions.any_of(conditions.absent(_HOLDER), conditions.below(_UNTIL, codec.number(millis(now - MARGIN))))
    sets = {_HOLDER: codec.text(holder), _UNTIL: codec.number(millis(until))}
    try:
        item = writes.updated(writes.update(schema.settings_table(), _key(day), free, sets=sets))
    except ConditionFailedError:
        raise NightLockedError(f"the night {day} is being written") from None
    return Lock(day, holder, _night(item).manifest)


def commit(held: Lock, manifest: Manifest) -> Lock:
    """Make files the night. What its former manifest named is to be deleted then.

    Raises:
        NightLockedError: the lock was lost; nothing has changed.
        StorageUnavailableError: it is not known whether it has changed.
    """
    _apply(held, sets={_MANIFEST: codec.json_text(manifest.to_json())})
    return held._replace(manifest=manifest)


def unlock(held: Lock) -> None:
    """Give a lock back, with the night as the manifest says and nothing else in the bucket.

    Raises:
        StorageUnavailableError: the lock may be there still; it ends by itself.
    """
    _apply(held, removes=[_HOLDER, _UNTIL])


def drop(held: Lock) -> None:
    """Delete what is stored of a night whose files are deleted, with its lock.

    Raises:
        NightLockedError: the lock was lost; nothing is deleted.
        StorageUnavailableError: it may be there still.
    """
    try:
        writes.apply(writes.delete(schema.settings_table(), _key(held.day), _held(held)))
    except ConditionFailedError:
        raise NightLockedError(f"the night {held.day} is being written by somebody else") from None


def _apply(held: Lock, *, sets: Item | None = None, removes: list[str] | None = None) -> None:
    update = writes.update(schema.settings_table(), _key(held.day), _held(held), sets=sets, removes=removes or ())
    try:
        writes.apply(update)
    except ConditionFailedError:
        raise NightLockedError(f"the night {held.day} is being written by somebody else") from None


def _held(held: Lock) -> conditions.Condition:
    return conditions.equals(_HOLDER, codec.text(held.holder))


def _key(day: date) -> Item:
    return codec.key(schema.NIGHTS_PK, day.isoformat())


def _night(item: Item) -> Night:
    stored = codec.json_of(item, _MANIFEST)
    return Night(
        date.fromisoformat(codec.text_of(item, "sk")),
        None if stored is None else Manifest.from_json(stored),
        _HOLDER in item,
    )
