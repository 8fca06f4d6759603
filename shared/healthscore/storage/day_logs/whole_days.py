"""Whole days of a log: which days it has, and everything in one of them."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.storage import codec, conditions, reads, schema
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import NO_HEAD, LogKey
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import StoredHead

_by_time = itemgetter(0, 1)


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


def read_day(pk: str, day: date) -> list[Entry]:
    """Everything that is now in the log of one day, in all its shards, sorted by time, then id.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for _ in attempts("the log of the day is being rewritten"):
        heads = log_items.read_heads(pk, day)
        try:
            return _entries(pk, day, heads) if heads else []
        except day_log.MissingBlockError:
            continue  # it was rewritten between the reads
    raise AssertionError("attempts ends by an error")


def _entries(pk: str, day: date, heads: dict[int, StoredHead]) -> list[Entry]:
    entries: list[Entry] = []
    for shard in range(heads[0].head.shards):
        key, stored = LogKey(pk, day, shard), heads.get(shard, NO_HEAD)
        blocks = log_items.read_blocks(key) if stored.head.blocks else {}
        entries += stored.head.tail
        for _, _, part in log_items.walk(key, stored, blocks):
            entries += part
    return sorted(entries, key=_by_time)
