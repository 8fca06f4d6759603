"""Takes an account out of the summary that a version before has left (table Settings)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import codec, conditions, schema, writes
from healthscore.storage.kinds import Kind
from healthscore.storage.retries import retried
from healthscore.storage.runs import earlier_summary as stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.SUMMARY})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Take the account out of the movers; the figures stay."""
    without(erasure.account_id)
    yield 0


@retried("too many writers at once for the summary")
def without(account_id: str) -> None:
    """Take an account out of the movers.

    Raises:
        StorageUnavailableError: it may still be there.
    """
    item = stored.item()
    if item is None:
        return
    summary = codec.json_of(item, stored.SUMMARY)
    movers = {
        way: [mover for mover in moved if mover["account_id"] != account_id] for way, moved in summary["movers"].items()
    }
    if movers != summary["movers"]:
        unchanged = conditions.unchanged(stored.SUMMARY, codec.text_of(item, stored.SUMMARY))
        sets = {stored.SUMMARY: codec.json_text({**summary, "movers": movers})}
        writes.apply(writes.update(schema.settings_table(), stored.KEY, unchanged, sets=sets))
