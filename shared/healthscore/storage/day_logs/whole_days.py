"""Whole days of a log: which there are, all that is in one, and its deletion, for moving a log's entries elsewhere.

To move a log: for each of its days read it, commit its entries to the other log, then delete the day as it was read. A
crash anywhere leaves entries in both logs, which the next move of the same day finds to be duplicates; entries that
are committed to the day meanwhile make its deletion fail, and the day is moved anew.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.storage import schema
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import NO_HEAD, LogKey
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import StoredHead

EMPTY_HEAD_LIFE = timedelta(days=1)
"""How long the empty head of a deleted day memberships: longer than any put of its first commit could still be on its
way.

Were the head itself deleted, then a repetition of that put (by the SDK, after an answer that was lost) would find the
condition it was made for, that there is no head, and bring back a head whose blocks are gone.
"""


@dataclass(frozen=True, slots=True)
class WholeShard:
    """One shard of a day as it was read."""

    key: LogKey
    version: str | None
    """The head's version; None where there is no head."""
    block_keys: tuple[str, ...]
    """Sort keys of the blocks that the head leads to."""


@dataclass(frozen=True, slots=True)
class WholeDay:
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
    items = pages(
        dynamodb().query,
        TableName=schema.activity_table(),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :days)",
        FilterExpression="attribute_exists(r)",
        ExpressionAttributeValues={":pk": {"S": pk}, ":days": {"S": schema.DAYS_PREFIX}},
        ProjectionExpression="sk",
        ConsistentRead=True,
    )
    return sorted({schema.parse_day_key(item["sk"]["S"])[0] for item in items})


def read_day(pk: str, day: date) -> WholeDay | None:
    """Everything in the log of one day as it stands now, or None where there is nothing.

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
    """Delete a day on condition that it is still as it was read.

    A commit that had read the day before then fails its own condition, and starts anew from an empty day.

    Args:
        whole: the day as read.
        now: the present; what is left of the day, an empty head, expires soon after.

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
        call(dynamodb().put_item, **put)
    except ConditionFailedError:
        return False
    for sk in shard.block_keys:
        key = {"pk": {"S": shard.key.pk}, "sk": {"S": sk}}
        call(dynamodb().delete_item, TableName=schema.activity_table(), Key=key)
    return True
