"""Deletes an account's history: snapshots, alerts, decisions, findings and CRM facts (table History).

A night's worker that has read the account before its erasure began may copy a snapshot into the history behind it. So
once all such workers are over, the snapshots are looked for again: see `dataset.erasing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import schema
from healthscore.storage.erasure import marked
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.SNAPSHOT, Kind.ALERT, Kind.CRM_FACTS, Kind.DECISION, Kind.FINDING})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Delete the history, some items at a time."""
    table = schema.history_table()
    for batch in marked.batches(table, schema.account_history(erasure.account_id)):
        yield marked.delete(erasure.account_id, table, batch)
