"""Committing entries to the log of a day (tables Activity and Accounts).

An account's day may be split into shards
(`core.day_log.shards`): the head of shard 0 has their number; it is put before any other shard's, and the number
in it never changes. So the first writer decides, and a writer that would have decided otherwise reads the number from
that head, or fails to put it.

`commit_shard.py` has the put that makes each entry count exactly once.
"""

from __future__ import annotations

import secrets
from functools import reduce
from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.shards import NO_LOAD, WriteLoad, load_of, shards_for, split
from healthscore.core.identity.places import labelled
from healthscore.core.time import DAY
from healthscore.storage import schema, writes
from healthscore.storage.accounts import late
from healthscore.storage.day_logs import commit_shard, log_items
from healthscore.storage.day_logs.commit_shard import Committed, RelabelledError, ShardsFixedError
from healthscore.storage.day_logs.log_items import LogKey, StoredHead
from healthscore.storage.day_logs.lookup import NOBODY, Lookup
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.people import ids as ids_of_people
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import DayLogReads
    from healthscore.storage.day_logs.terms import Terms


def read(days: Collection[tuple[str, date]], now: datetime) -> DayLogReads:
    """Read what commits to days of accounts need, by partition key and day, and mark the accounts of late ones.

    For a day without a head, the day before is read as well: its load decides how many shards the day gets.
    The number matters for speed alone, so it does no harm if that day goes on growing.

    Raises:
        StorageUnavailableError: the tables cannot be read now, or one of the accounts is being erased.
    """
    reads = log_items.read_logs([LogKey(pk, day) for pk, day in days], {pk for pk, _ in days})
    fresh = {key: key._replace(day=key.day - DAY) for key, stored in reads.heads.items() if stored.version is None}
    earliest: dict[str, date] = {}
    for pk, day in days:
        earliest[pk] = min(day, earliest.get(pk, day))
    for pk, day in earliest.items():
        late.mark(schema.account_of(pk), reads.late.get(pk), day, now)
    if fresh:
        before = log_items.read_logs(fresh.values(), ()).heads
        reads.heads.update((key, _beginning(_shards_after(earlier, before))) for key, earlier in fresh.items())
    return reads


def look_up(batches: Iterable[tuple[str, date, Sequence[Entry]]], reads: DayLogReads) -> Lookup:
    """Look up the people of a request of whom its logs know nothing yet, all at once.

    A log whose other shards or blocks are still to be read is left to its commit.

    Args:
        batches: partition key, day, and entries of each log.
        reads: what was read for these logs.

    Raises:
        StorageUnavailableError: the people cannot be looked up now.
    """
    pairs = set[tuple[str, str]]()
    for pk, day, entries in batches:
        head, sealed = reads.head(pk, day).head, commit_shard.sealed_parts.get(LogKey(pk, day))
        if head.shards == 1 and (not head.blocks or sealed.token == head.token):
            known = day_log.labels(sealed, head)
            people = {one.person for one in entries if one.person is not None and one.person not in known}
            pairs |= {(person, schema.account_of(pk)) for person in people}
    return Lookup.of(pairs)


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
    terms: Terms,
    looked_up: Lookup = NOBODY,
) -> Committed:
    """Add entries to the log of one day of an account, each exactly once.

    The people of whom the log knows nothing yet are looked up, since they may be known by other ids.

    Args:
        pk: partition key of the log; the account is created if it is not there yet.
        day: the day, in the workspace's zone, on which all the entries fall.
        entries: at least one; ids that are in the log already, or repeat among themselves, are counted as duplicates.
        stored: the head as it was read.
        first_seen: the account's first-seen times as they were read.
        terms: what all commits of a request have in common.
        looked_up: people who are looked up already; the caller looks at them again after the commit.

    Raises:
        StorageUnavailableError: not committed, or not known to be; the same entries may be committed again.
    """
    key = LogKey(pk, day)
    for _ in attempts(commit_shard.TOO_MANY_WRITERS, terms.sleep):
        try:
            stored, first_seen = begin(key, stored, first_seen, terms)
            return _commit(key, entries, stored, first_seen, looked_up=looked_up, terms=terms)
        except ShardsFixedError as fixed:
            stored, first_seen = fixed.stored, fixed.first_seen
        except (ConditionFailedError, RelabelledError):  # rewritten since it was read, or deleted
            again = read([(pk, day)], terms.now)
            stored, first_seen = again.head(pk, day), again.first_seen.get(pk)
    raise AssertionError("attempts ends by an error")


def begin(key: LogKey, stored: StoredHead, first_seen: str | None, terms: Terms) -> tuple[StoredHead, str | None]:
    """Begin a day of several shards; answers the head of its first shard, and the account's first-seen times.

    A day that has begun, or has one shard, is left as it is.
    """
    if stored.version is not None or stored.head.shards == 1:
        return stored, first_seen
    return _begin(key, stored, first_seen, terms)


def _begin(key: LogKey, beginning: StoredHead, first_seen: str | None, terms: Terms) -> tuple[StoredHead, str | None]:
    """Begin a day of several shards: put the head of its first shard, still empty, or read the one that is there.

    Returns:
        That head, and the account's first-seen times. These are read after the put, because the account may have been
        erased and created again since both were read.
    """
    version, log = secrets.token_urlsafe(8), day_log.encode_head(key.day, beginning.head)
    put = log_items.head_put(key, log, None, read_version=None, version=version, expires=terms.expires(key.day))
    for _ in attempts(commit_shard.TOO_MANY_WRITERS, terms.sleep):
        try:
            writes.apply(put)
            break
        except ConditionFailedError:
            again = log_items.read_logs([key], [key.pk])
            if again.heads[key].version is not None:
                return again.heads[key], again.first_seen.get(key.pk)
    if first_seen is not None:
        first_seen = commit_shard.take_back_if_gone(key, version)
    return StoredHead(version, beginning.head), first_seen


def _commit(
    key: LogKey,
    entries: Sequence[Entry],
    stored: StoredHead,
    first_seen: str | None,
    *,
    looked_up: Lookup,
    terms: Terms,
) -> Committed:
    """Commit entries to the shards that a day has, one after the other."""
    shards = stored.head.shards
    heads = {key: stored}
    first_seen = _read_shards(key, entries, shards, heads, first_seen)
    known: dict[str, str | None] = {}
    for of_shard, head in heads.items():
        known |= day_log.labels(commit_shard.sealed_part(of_shard, head), head.head)
    account_id = schema.account_of(key.pk)
    unknown = {(one.person, account_id) for one in entries if one.person is not None and one.person not in known}
    rest = Lookup.of(unknown - looked_up.pairs)

    def with_label(one: Entry) -> Entry:
        if one.person is None or one.person in known:
            return one._replace(label=known.get(one.person or "", one.label))
        lookup = rest if (one.person, account_id) in rest.pairs else looked_up
        return labelled(one, lookup.people.places_on(one.person, key.day, terms.not_counted))

    entries = [with_label(one) for one in entries]
    first_seen = _read_shards(key, entries, shards, heads, first_seen)
    load, accepted = load_of(entries), 0
    for number, part in split(entries, shards).items():
        of_shard = key._replace(shard=number)
        head = heads[of_shard] if heads[of_shard].version is not None else _beginning(shards)
        users = {one.person for one in part if one.person is not None} & known.keys()
        load_of_part = NO_LOAD if accepted else load
        committed = commit_shard.commit(of_shard, part, head, first_seen, users=users, load=load_of_part, terms=terms)
        first_seen = committed.first_seen
        accepted += committed.accepted
    unsure = rest.unsure(entries, key.day, rest.people.overtaken())
    if accepted < len(entries):  # whoever committed a repeated entry may have died before it looked again
        people = ids_of_people.read(one.person for one in entries if one.person is not None and one.person in known)
        unsure |= {id_ for id_, _ in unknown} | people.mislabelled(entries, key.day, terms.not_counted)
    return Committed(accepted, len(entries) - accepted, first_seen, unsure)


def _read_shards(
    key: LogKey, entries: Sequence[Entry], shards: int, heads: dict[LogKey, StoredHead], first_seen: str | None
) -> str | None:
    """Read the heads of the entries' shards that are not read yet; answers the account's first-seen times."""
    others = [shard for number in split(entries, shards) if (shard := key._replace(shard=number)) not in heads]
    if not others:
        return first_seen
    reads = log_items.read_logs(others, [key.pk])
    heads.update(reads.heads)
    return reads.first_seen.get(key.pk)
