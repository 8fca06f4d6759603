"""Putting other entries in the place of those in an account's day, shard by shard, as parts of one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.shards import split
from healthscore.storage import codec, schema, writes
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import LogKey, StoredHead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ReadDay:
    """A day's log as it was read, to be rewritten."""

    entries: dict[LogKey, list[Entry]]
    """By shard; all shards that the day has."""
    heads: dict[LogKey, StoredHead]
    blocks: dict[LogKey, list[str]] = field(default_factory=dict)
    """Sort keys of the blocks that the heads lead to."""

    @property
    def all_entries(self) -> list[Entry]:
        """The entries of all shards."""
        return [one for of_shard in self.entries.values() for one in of_shard]

    def rewrite(self, transaction: Transaction, entries: Sequence[Entry]) -> list[LogKey]:
        """Put other entries in the place of these; answers the shards that change.

        Args:
            transaction: what the changes are added to.
            entries: what is to be in the log; each id once.
        """
        by_shard = split(entries, len(self.entries))
        changed = []
        for number, (key, before) in enumerate(self.entries.items()):
            after = by_shard.get(number, [])
            if sorted(after) != sorted(before):
                transaction.replace(key, self.heads[key], after)
                changed.append(key)
        return changed

    def delete_blocks(self, shards: Sequence[LogKey]) -> None:
        """Delete the blocks of shards that were rewritten: no head leads to them any more.

        Raises:
            StorageUnavailableError: some are left; they count nothing, and expire.
        """
        keys = [codec.key(key.pk, sk) for key in shards for sk in self.blocks.get(key, ())]
        writes.delete_all(schema.activity_table(), keys)


def read(pk: str, day: date) -> ReadDay | None:
    """Read a day's log; None where there is none.

    Raises:
        MissingBlockError: the log changed between two reads; read it again.
        StorageUnavailableError: the table cannot be read now.
    """
    heads = log_items.read_heads(pk, day)
    if not heads:
        return None
    shards = heads[0].head.shards
    found = ReadDay({}, {})
    for number in range(shards):
        key, stored = LogKey(pk, day, number), heads.get(number, StoredHead(None, day_log.Head(shards=shards)))
        sealed = []
        if stored.head.blocks:
            sealed = log_items.walk(key, stored, log_items.read_blocks(key))
        found.heads[key] = stored
        found.entries[key] = [*stored.head.tail, *(one for _, _, part in sealed for one in part)]
        found.blocks[key] = [schema.block_key(day, number, position, token) for position, token, _ in sealed]
    return found
