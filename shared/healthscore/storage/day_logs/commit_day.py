"""Committing entries to the log of a day (tables Activity and Accounts).

Logs are addressed by partition key: an account's (`schema.activity_pk`), or that of a person who belongs to no account
yet (`schema.person_pk`), which has no account item beside it. An account's day may be split into shards
(`core.day_log.shards`): the head of shard 0 has their number; it is put before any other shard's, and the number
in it never changes. So the first writer decides, and a writer that would have decided otherwise reads the number from
that head, or fails to put it.

`commit_shard.py` has the put that makes each entry count exactly once.
"""

from __future__ import annotations

import secrets
import time
from functools import reduce
from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.shards import NO_LOAD, WriteLoad, load_of, shards_for, split
from healthscore.core.time import DAY
from healthscore.storage import schema, writes
from healthscore.storage.day_logs import commit_shard, log_items
from healthscore.storage.day_logs.commit_shard import Committed, ShardsFixedError, Terms
from healthscore.storage.day_logs.log_items import LogKey, StoredHead
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.commit_shard import VersionCheck
    from healthscore.storage.day_logs.log_items import DayLogReads


def read(days: Collection[tuple[str, date]]) -> DayLogReads:
    """Read what commits to days need, by partition key and day.

    For an account's day without a head, the day before is read as well: its load decides how many shards the day gets.
    The number matters for speed alone, so it does no harm if that day goes on growing.

    Raises:
        StorageUnavailableError: the tables cannot be read now, or one of the accounts is being erased.
    """
    reads = log_items.read_logs([LogKey(pk, day) for pk, day in days], {pk for pk, _ in days})
    fresh = {
        key: key._replace(day=key.day - DAY)
        for key, stored in reads.heads.items()
        if stored.version is None and schema.account_of(key.pk) is not None
    }
    if fresh:
        before = log_items.read_logs(fresh.values(), ()).heads
        reads.heads.update((key, _beginning(_shards_after(earlier, before))) for key, earlier in fresh.items())
    return reads


def _shards_after(key: LogKey, heads: dict[LogKey, StoredHead]) -> int:
    first = heads[key].head
    all_shards = [first] if first.shards == 1 else [one.head for one in log_items.read_heads(key.pk, key.day).values()]
    return shards_for(reduce(WriteLoad.plus, (head.load for head in all_shards), NO_LOAD), first.shards)


def _beginning(shards: int) -> StoredHead:
    return StoredHead(None, day_log.Head(shards=shards))


def commit(
    pk: str,
    day: date,
    entries: Sequence[Entry],
    *,
    stored: StoredHead,
    first_seen: str | None,
    milestones: Collection[str],
    retention_days: int,
    now: datetime,
    version_check: VersionCheck | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Committed:
    """Add entries to the log of one day, each exactly once.

    Args:
        pk: partition key of the log; where it is an account's, the account is created if it is not there yet.
        day: the day, in the workspace's zone, on which all the entries fall.
        entries: at least one; ids that are in the log already, or repeat among themselves, are counted as duplicates.
        stored: the head as it was read.
        first_seen: the account's first-seen times as they were read; None for a person's log.
        milestones: event names whose first time is always remembered.
        retention_days: how long days are kept.
        now: when the request came in: the birthday of an account that is created.
        version_check: items that must be unchanged at the moment of the commit, which is then a transaction.
        sleep: waits between attempts.

    Raises:
        MovedError: an item of the version check has changed, and nothing was committed.
        StorageUnavailableError: not committed, or not known to be; the same entries may be committed again.
    """
    terms = Terms(milestones, log_items.expiry(day, retention_days), now, version_check, sleep)
    key = LogKey(pk, day)
    if stored.version is None and stored.head.shards > 1:
        stored, first_seen = _begin(key, stored, first_seen, terms)
    while True:
        try:
            return _commit(key, entries, stored, first_seen, terms)
        except ShardsFixedError as fixed:
            stored, first_seen = fixed.stored, fixed.first_seen


def _begin(key: LogKey, beginning: StoredHead, first_seen: str | None, terms: Terms) -> tuple[StoredHead, str | None]:
    """Begin a day of several shards: put the head of its first shard, still empty, or read the one that is there.

    Returns:
        That head, and the account's first-seen times. These are read after the put, because the account may have been
        erased and created again since both were read.
    """
    version, log = secrets.token_urlsafe(8), day_log.encode_head(key.day, beginning.head)
    put = log_items.head_put(key, log, None, read_version=None, version=version, expires=terms.expires)
    for _ in attempts(commit_shard.TOO_MANY_WRITERS, terms.sleep):
        try:
            writes.apply(put)
            break
        except ConditionFailedError:
            again = log_items.read_logs([key], [key.pk])
            if again.heads[key].version is not None:
                return again.heads[key], again.first_seen.get(key.pk)
    account_id = schema.account_of(key.pk)
    if account_id is not None and first_seen is not None:
        first_seen = commit_shard.take_back_if_gone(account_id, key, version)
    return StoredHead(version, beginning.head), first_seen


def _commit(
    key: LogKey, entries: Sequence[Entry], stored: StoredHead, first_seen: str | None, terms: Terms
) -> Committed:
    """Commit entries to the shards that a day has, one after the other."""
    shards = stored.head.shards
    parts = {key._replace(shard=number): part for number, part in split(entries, shards).items()}
    others = [of_shard for of_shard in parts if of_shard != key]
    heads = {key: stored}
    if others:
        reads = log_items.read_logs(others, [key.pk])
        heads, first_seen = reads.heads | heads, reads.first_seen.get(key.pk)
    load, accepted = load_of(entries), 0
    for of_shard, part in parts.items():
        head = heads[of_shard] if heads[of_shard].version is not None else _beginning(shards)
        committed = commit_shard.commit(
            of_shard, part, head, first_seen, load=NO_LOAD if accepted else load, terms=terms
        )
        first_seen = committed.first_seen
        accepted += committed.accepted
    return Committed(accepted, len(entries) - accepted, first_seen)
