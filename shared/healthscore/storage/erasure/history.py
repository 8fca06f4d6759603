"""Deletes an account's history: snapshots, alerts and CRM facts (table History).

A night's worker that has read the account before its erasure began may copy a snapshot into the history behind it. So
once all such workers are over, the snapshots are looked for again.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.accounts.stored_scores import SNAPSHOT, snapshot_of
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.erasure import marked
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.SNAPSHOT, Kind.ALERT, Kind.CRM_FACTS})


def erase_left_behind(account_id: str, before: datetime) -> None:
    """Delete the snapshots of before an instant of an account that is erased; it may have begun again since.

    Raises:
        StorageUnavailableError: some may be left.
    """
    stretch = (schema.snapshot_key(date.min), schema.snapshot_key(date.max))
    request = reads.partition(schema.history_table(), schema.account_history(account_id), between=stretch)
    found = pages(dynamodb().query, **request)
    keys = [codec.key_of(item) for item in found if snapshot_of(item[SNAPSHOT]).as_of < before]
    writes.delete_all(schema.history_table(), keys)


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Delete the history, some items at a time."""
    table = schema.history_table()
    for batch in marked.batches(table, schema.account_history(erasure.account_id)):
        yield marked.delete(erasure.account_id, table, batch)
