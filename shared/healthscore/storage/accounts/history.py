"""The past of each account (table History): snapshots of nights, and CRM facts as they were received.

The newest snapshot is in the account's own item, and in the history by the time that another one takes its place there.
So the snapshots of an account are those of both, and every reader here takes the account as it was read before.
"""

from __future__ import annotations

import contextlib
from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.documents import crm_from_json
from healthscore.core.model import Band
from healthscore.core.time import DAY
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import stored_scores
from healthscore.storage.accounts.account_item import crm_text
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.core.model import CrmFacts, Snapshot
    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write


def put_snapshots(snapshots: Mapping[str, Snapshot]) -> None:
    """Keep a snapshot of each of some accounts, by their ids, in the place of those of the same nights.

    Raises:
        StorageUnavailableError: some may not be kept.
    """
    writes.put_all(schema.history_table(), [_item(account_id, snapshot) for account_id, snapshot in snapshots.items()])


def delete_snapshots(account_id: str, before: datetime) -> None:
    """Delete the snapshots of before an instant of an account that is erased; it may have begun again since.

    Raises:
        StorageUnavailableError: some may be left.
    """
    found = pages(dynamodb().query, **_stretch(account_id, date.min, date.max))
    keys = [codec.key_of(item) for item in found if _snapshot(item).as_of < before]
    writes.delete_all(schema.history_table(), keys)


def copy(account_id: str, snapshot: Snapshot) -> Write:
    """The write that keeps a snapshot, in the place of the one of the same night."""
    return writes.put(schema.history_table(), _item(account_id, snapshot))


def snapshots(account: Account, first: date, last: date) -> list[Snapshot]:
    """The snapshots of the days from `first` to `last`, oldest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    found = {snapshot.day: snapshot for snapshot in _stored(account.account_id, first, last)}
    if account.latest is not None and first <= account.latest.day <= last:
        found[account.latest.day] = account.latest
    return [found[day] for day in sorted(found)]


def snapshot_before(account: Account, day: date) -> Snapshot | None:
    """The newest snapshot of a day before `day`, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    latest = account.latest
    if latest is not None and latest.day == day - DAY:
        return latest
    item = _newest(account.account_id, schema.snapshot_key(day.min), schema.snapshot_key(day - DAY))
    found = [] if item is None else [_snapshot(item)]
    if latest is not None and latest.day < day:
        found.append(latest)
    return max(reversed(found), key=lambda one: one.day, default=None)


def was_healthy(account: Account, before: date) -> bool:
    """Whether an account was healthy on any kept night before a day; the newest nights are looked at first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    latest = account.latest
    if latest is not None and latest.day < before and latest.band is Band.HEALTHY:
        return True
    nights_before = _stored(account.account_id, date.min, before - DAY, newest_first=True)
    return any(night.band is Band.HEALTHY for night in nights_before)


def copy_snapshots(old: str, new: Account) -> Iterator[None]:
    """Copy the snapshots of an account that was given up to the one that goes on; yields after each.

    Only those of nights of which that one has none.

    Raises:
        StorageUnavailableError: some may not be copied; copying again goes on.
    """
    there = {snapshot.day for snapshot in snapshots(new, date.min, date.max)}
    for snapshot in _stored(old, date.min, date.max):
        if snapshot.day not in there:
            item = _item(new.account_id, snapshot)
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


def _item(account_id: str, snapshot: Snapshot) -> Item:
    key = codec.key(schema.account_history(account_id), schema.snapshot_key(snapshot.day))
    return {**key, stored_scores.SNAPSHOT: stored_scores.snapshot_attribute(snapshot)}


def _stored(account_id: str, first: date, last: date, *, newest_first: bool = False) -> Iterator[Snapshot]:
    request = _stretch(account_id, first, last)
    return map(_snapshot, pages(dynamodb().query, **request, ScanIndexForward=not newest_first))


def _stretch(account_id: str, first: date, last: date) -> dict[str, Any]:
    """The Query of snapshots in the history; consistent, since an account's item may have had one a moment ago."""
    stretch = (schema.snapshot_key(first), schema.snapshot_key(last))
    return reads.partition(schema.history_table(), schema.account_history(account_id), between=stretch)


def _snapshot(item: Item) -> Snapshot:
    return stored_scores.snapshot_of(item[stored_scores.SNAPSHOT])


def _newest(account_id: str, first: str, last: str) -> Item | None:
    request = reads.partition(schema.history_table(), schema.account_history(account_id), between=(first, last))
    page = call(dynamodb().query, **request, ScanIndexForward=False, Limit=1)
    return page["Items"][0] if page["Items"] else None
