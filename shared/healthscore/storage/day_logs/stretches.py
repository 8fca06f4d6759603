"""Whole logs of consecutive days, for folds that read many of them (table Activity)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log import log as day_log
from healthscore.storage import codec, reads, schema
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import LogKey
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.codec import Item
    from healthscore.storage.day_logs.log_items import StoredHead

    HeadItem = tuple[date, int, Item]
    """Day and shard of a head, and its item."""


HEAD_ATTRIBUTES = ("v", "l", "p", "ttl")
"""What a log is read from, beside its sort key."""


class LogOfDay(NamedTuple):
    """The whole log of a day."""

    day: date
    version: int
    """What tells it from any other that the day has had."""
    entries: list[Entry] | None
    """In no order; None where part of it has expired."""
    has_blocks: bool
    """Whether it took a call of its own to read it, besides that for its heads."""


def read(account_id: str, first: date, last: date, *, consistent: bool) -> Iterator[LogOfDay]:
    """The logs of an account from one day to another, both included, oldest first; days without one are left out.

    One Query reads the heads, and `of_heads` the rest.

    Args:
        account_id: the account.
        first: the first day.
        last: the last day.
        consistent: whether what was written a moment ago must be in it, at twice the read units.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(
        schema.activity_table(),
        schema.activity_pk(account_id),
        between=schema.day_range(first, last),
        attributes=("sk", *HEAD_ATTRIBUTES),
        consistent=consistent,
    )
    heads = ((*schema.parse_day_key(codec.text_of(item, "sk")), item) for item in pages(dynamodb().query, **request))
    yield from of_heads(account_id, heads, consistent=consistent)


def of_heads(account_id: str, heads: Iterable[HeadItem], *, consistent: bool) -> Iterator[LogOfDay]:
    """The logs of days whose heads were read, oldest first.

    One Query reads the blocks of each head that leads to some. Takes and raises what `read` does.
    """
    pk = schema.activity_pk(account_id)
    for day, of_day in groupby(heads, key=lambda head: head[0]):
        shards = {shard: log_items.stored_head(day, item) for _, shard, item in of_day}
        entries: list[Entry] | None
        try:
            entries = _entries(pk, day, shards, consistent=consistent)
        except day_log.MissingBlockError:
            shards, entries = _read_again(pk, day)
        if shards:
            versions = ((shard, stored.version or "") for shard, stored in sorted(shards.items()))
            has_blocks = any(stored.head.blocks for stored in shards.values())
            yield LogOfDay(day, log_items.version_of(versions), entries, has_blocks)


def _entries(pk: str, day: date, shards: dict[int, StoredHead], *, consistent: bool) -> list[Entry]:
    found: list[Entry] = []
    for shard, stored in shards.items():
        found += stored.head.tail
        if stored.head.blocks:
            blocks = log_items.read_blocks(LogKey(pk, day, shard), consistent=consistent)
            for _, _, sealed in day_log.walk_blocks(day, stored.head, blocks):
                found += sealed
    return found


def _read_again(pk: str, day: date) -> tuple[dict[int, StoredHead], list[Entry] | None]:
    """The heads and entries of a day that was rewritten between two reads; no entries where blocks have expired."""
    before: dict[int, StoredHead] = {}
    for attempt in attempts("the log of the day is being rewritten"):
        shards = log_items.read_heads(pk, day)
        try:
            return shards, _entries(pk, day, shards, consistent=True)
        except day_log.MissingBlockError:
            if attempt and {key: one.version for key, one in shards.items()} == {
                key: one.version for key, one in before.items()
            }:
                return shards, None
            before = shards
    raise AssertionError("attempts ends by an error")
