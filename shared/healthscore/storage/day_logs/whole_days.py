"""Whole days of a log: listing them, reading everything in one, and deleting one, to move its entries to another log.

To move a log: for each of its days read it, commit its entries to the other log, then delete the day as it was read. A
crash anywhere leaves entries in both logs, and the next move of the same day finds them to be duplicates. Entries that
are committed to the day meanwhile make its deletion fail, and the day is moved again.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log import log as day_log
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import NO_HEAD, LogKey
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import StoredHead

EMPTY_HEAD_LIFE = timedelta(days=1)
"""How long the empty head of a deleted day stays: longer than any put of its first commit can still be on its way.

Without any head, a repetition of that put (by the SDK, after an answer that was lost) would find its condition to hold,
that there is no head, and bring back a head whose blocks are gone.
"""


class WholeShard(NamedTuple):
    """One shard of a day as it was read."""

    key: LogKey
    version: str | None
    """The head's version; None where there is no head."""
    block_keys: tuple[str, ...]
    """Sort keys of the blocks that the head leads to."""


class WholeDay(NamedTuple):
    """A day's log as it was read."""

    entries: tuple[Entry, ...]
    """Sorted by time, then id; none where the day was deleted."""
    shards: tuple[WholeShard, ...]
    """All shards that the day has."""


def days(pk: str) -> list[date]:
    """The days of a log that have entries, earliest first, read consistently.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    has_entries = conditions.exists("r")
    request = reads.partition(
        schema.activity_table(), pk, prefix=schema.DAYS_PREFIX, attributes=("sk",), only=has_entries
    )
    return sorted({schema.parse_day_key(codec.text_of(item, "sk"))[0] for item in pages(dynamodb().query, **request)})


def read_day(pk: str, day: date) -> WholeDay | None:
    """Everything that is now in the log of one day, or None where there is nothing.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    heads, broken = log_items.read_heads(pk, day), None
    while heads:
        try:
            return _whole(pk, day, heads)
        except day_log.MissingBlockError:
            if heads == broken:
                raise
            broken, heads = heads, log_items.read_heads(pk, day)  # unless it was deleted between the reads
    return None


def _whole(pk: str, day: date, heads: dict[int, StoredHead]) -> WholeDay:
    entries: list[Entry] = []
    shards = []
    for shard in range(heads[0].head.shards):
        key, stored = LogKey(pk, day, shard), heads.get(shard, NO_HEAD)
        blocks = log_items.read_blocks(key) if stored.head.blocks else {}
        sealed = list(day_log.walk_blocks(day, stored.head, blocks))
        entries.extend(stored.head.tail)
        for _, _, part in sealed:
            entries.extend(part)
        block_keys = tuple(schema.block_key(day, shard, position, token) for position, token, _ in sealed)
        shards.append(WholeShard(key, stored.version, block_keys))
    return WholeDay(tuple(sorted(entries)), tuple(shards))


def delete_day(whole: WholeDay, now: datetime) -> bool:
    """Delete a day on condition that it is unchanged since it was read.

    A commit that had read the day before then fails its own condition, and starts again from an empty day.

    Args:
        whole: the day as it was read.
        now: the present; an empty head is left of the day, and expires soon after.

    Returns:
        Whether all of it is deleted; if not, there may be more entries now.

    Raises:
        StorageUnavailableError: the day is not known to be deleted; read it again.
    """
    return all(_delete_shard(shard, len(whole.shards), now) for shard in whole.shards)


def _delete_shard(shard: WholeShard, shards: int, now: datetime) -> bool:
    put = log_items.head_put(
        shard.key,
        day_log.encode_head(shard.key.day, day_log.Head(shards=shards)),
        None,
        read_version=shard.version,
        version=secrets.token_urlsafe(8),
        expires=int((now + EMPTY_HEAD_LIFE).timestamp()),
    )
    try:
        writes.apply(put)
    except ConditionFailedError:
        return False
    for sk in shard.block_keys:
        writes.apply(writes.delete(schema.activity_table(), codec.key(shard.key.pk, sk)))
    return True
