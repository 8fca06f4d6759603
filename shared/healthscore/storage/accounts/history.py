"""The past of each account (table History): nightly snapshots, and CRM facts as they were received."""

from __future__ import annotations

import contextlib
from datetime import date
from typing import TYPE_CHECKING

from healthscore.core.documents import crm_from_json, snapshot_from_json, snapshot_to_json
from healthscore.core.model import Band
from healthscore.core.time import DAY
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts.account_item import crm_text
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from healthscore.core.model import CrmFacts, Snapshot
    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write


def put_snapshot(account_id: str, snapshot: Snapshot, *, replace: bool) -> Snapshot:
    """Keep a night's snapshot.

    Args:
        account_id: the account.
        snapshot: the snapshot.
        replace: True to overwrite the snapshot of the same night, False to keep it.

    Returns:
        The snapshot that is kept now.

    Raises:
        StorageUnavailableError: not kept.
    """
    key = codec.key(schema.account_history(account_id), schema.snapshot_key(snapshot.day))
    item = {**key, "snapshot": codec.json_text(snapshot_to_json(snapshot))}
    try:
        writes.apply(writes.put(schema.history_table(), item, *([] if replace else [conditions.ABSENT])))
    except ConditionFailedError:
        kept = reads.get(schema.history_table(), key)
        if kept is None:
            raise StorageUnavailableError("a snapshot was there and is gone") from None
        return _snapshot(kept)
    return snapshot


def snapshots(account_id: str, first: date, last: date, *, consistent: bool = False) -> list[Snapshot]:
    """The snapshots of the days from `first` to `last`, oldest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    stretch = (schema.snapshot_key(first), schema.snapshot_key(last))
    request = reads.partition(
        schema.history_table(), schema.account_history(account_id), between=stretch, consistent=consistent
    )
    return [_snapshot(item) for item in pages(dynamodb().query, **request)]


def snapshot_before(account_id: str, day: date) -> Snapshot | None:
    """The newest snapshot of a day before `day`, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _newest(account_id, schema.snapshot_key(day.min), schema.snapshot_key(day - DAY))
    return _snapshot(item) if item else None


def was_healthy(account_id: str, before: date) -> bool:
    """Whether an account was healthy on any kept night before a day; the newest nights are looked at first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    stretch = (schema.snapshot_key(date.min), schema.snapshot_key(before - DAY))
    request = reads.partition(schema.history_table(), schema.account_history(account_id), between=stretch)
    nights = pages(dynamodb().query, **request, ScanIndexForward=False)
    return any(_snapshot(item).band is Band.HEALTHY for item in nights)


def copy_snapshots(old: str, new: str) -> Iterator[None]:
    """Copy an account's snapshots to another one, of those nights of which it has none; yields after each.

    Raises:
        StorageUnavailableError: some may not be copied; copying again goes on.
    """
    there = {snapshot.day for snapshot in snapshots(new, date.min, date.max, consistent=True)}
    for snapshot in snapshots(old, date.min, date.max, consistent=True):
        if snapshot.day not in there:
            key = codec.key(schema.account_history(new), schema.snapshot_key(snapshot.day))
            item = {**key, "snapshot": codec.json_text(snapshot_to_json(snapshot))}
            with contextlib.suppress(ConditionFailedError):  # a night has scored the account meanwhile
                writes.apply(writes.put(schema.history_table(), item, conditions.ABSENT))
            yield


def put_crm(account_id: str, facts: CrmFacts) -> Write:
    """The write that keeps a copy of CRM facts, so that past instants can be scored."""
    key = codec.key(schema.account_history(account_id), schema.crm_key(facts.received_at))
    return writes.put(schema.history_table(), {**key, "crm": codec.text(crm_text(facts))})


def crm_as_of(account_id: str, at: datetime) -> CrmFacts | None:
    """The CRM facts that were the newest received at an instant, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _newest(account_id, schema.CRM_FIRST, schema.crm_key(at))
    return crm_from_json(codec.json_of(item, "crm")) if item else None


def _snapshot(item: Item) -> Snapshot:
    return snapshot_from_json(codec.json_of(item, "snapshot"))


def _newest(account_id: str, first: str, last: str) -> Item | None:
    request = reads.partition(schema.history_table(), schema.account_history(account_id), between=(first, last))
    page = call(dynamodb().query, **request, ScanIndexForward=False, Limit=1)
    return page["Items"][0] if page["Items"] else None
