"""Committing events that name no account: to their ids' own logs, with copies in the logs of accounts (table Activity).

The own log of an id and a day has every event of the id that names no account, for good: where an event lies follows
from the event alone, so a repetition always finds it. The head of that log says where the entries count
(`core.identity.places`), and each entry has a copy there. A commit puts both in one transaction. It reads the records
of ids only where it begins an own log, on condition that they do not change; later they change together with the places
(`storage.day_logs.settle`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log.codec import COPY
from healthscore.core.identity import places as placing
from healthscore.core.identity.places import place_at
from healthscore.storage import schema
from healthscore.storage.day_logs import commit_shard, log_items, own_copies
from healthscore.storage.day_logs.fitting import commit_fitting
from healthscore.storage.day_logs.log_items import LogKey
from healthscore.storage.day_logs.transaction import TooManyActionsError, Transaction
from healthscore.storage.errors import ConditionFailedError, NoRoomError, StorageUnavailableError
from healthscore.storage.people import ids as ids_of_people
from healthscore.storage.people import unsettled
from healthscore.storage.retries import attempts
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.identity.counting import NotCounted
    from healthscore.core.identity.merges import Merges
    from healthscore.core.identity.places import Places
    from healthscore.storage.day_logs.log_items import StoredHead
    from healthscore.storage.day_logs.terms import Terms
    from healthscore.storage.people.ids import StoredPeople

TOO_MANY_WRITERS = "too many writers at once for the logs of one person"
LOGS_AT_ONCE, BEGINNINGS_AT_ONCE, ACCOUNTS_AT_ONCE = 40, 15, 12
"""The own logs of one transaction, those of them that begin, and the accounts: with a few items each, they stay below a
hundred."""


class OwnEntries(NamedTuple):
    """Entries of one id and day. One whose clock was corrected comes alone, with its gate."""

    id: str
    day: date
    entries: Sequence[Entry]
    gates: Mapping[int, tuple[date, Entry]] = {}
    """By the entry's id: the day that the wrong clock had named, and the entry that goes into its log."""


class Counts(NamedTuple):
    """How many entries were accepted, and how many were known already."""

    accepted: int
    duplicates: int
    without_room: tuple[Entry, ...] = ()
    """Those that there is no room for, and never will be."""


def commit(parts: Sequence[OwnEntries], terms: Terms) -> Counts:
    """Commit entries of ids, each exactly once.

    Args:
        parts: the entries, each id and day once.
        terms: what all commits have in common.

    Raises:
        StorageUnavailableError: some are not committed, or not known to be; all may be committed again.
    """
    if not parts:
        return Counts(0, 0)
    first = _Reads.of(parts, terms)
    by_account: dict[str | None, list[OwnEntries]] = defaultdict(list)
    for part in parts:
        by_account[place_at(first.places(part), part.entries[0].at).account_id].append(part)

    def commit_group(group: list[OwnEntries]) -> tuple[int, list[OwnEntries]]:
        accepted, without_room = 0, list[OwnEntries]()
        for chunk in _chunks(group, first):
            reads: _Reads | None = first if len(parts) == len(chunk) else None
            try:
                accepted += _commit_chunk(chunk, reads, terms)
            except NoRoomError:
                new, left = commit_fitting(_singly(chunk), lambda some: _commit_chunk(_by_log(some), None, terms))
                accepted += new
                without_room += left
        return accepted, without_room

    groups = side_by_side(commit_group, by_account.values())
    accepted = sum(of_group for of_group, _ in groups)
    without_room = tuple(one for _, left in groups for part in left for one in part.entries)
    duplicates = sum(len(part.entries) for part in parts) - accepted - len(without_room)
    return Counts(accepted, duplicates, without_room)


def _singly(parts: Iterable[OwnEntries]) -> list[OwnEntries]:
    """Each entry by itself."""
    return [part._replace(entries=[one]) for part in parts for one in part.entries]


def _by_log(singly: Iterable[OwnEntries]) -> list[OwnEntries]:
    """Entries that come one by one, by their logs again; what has a gate comes alone."""
    logs: dict[LogKey, OwnEntries] = {}
    for part in singly:
        known = logs.get(_key(part))
        logs[_key(part)] = part if known is None else known._replace(entries=[*known.entries, *part.entries])
    return [*logs.values()]


class _Reads(NamedTuple):
    """What a transaction depends on, as it was read."""

    heads: Mapping[LogKey, StoredHead]
    people: StoredPeople
    not_counted: NotCounted

    @classmethod
    def of(cls, parts: Iterable[OwnEntries], terms: Terms) -> _Reads:
        keys = {key for part in parts for key in _keys(part)}
        heads = log_items.read_logs(keys, ()).heads
        beginning = {part.id for part in parts if any(heads[key].places is None for key in _keys(part))}
        return cls(heads, ids_of_people.read(beginning), terms.not_counted)

    def places(self, part: OwnEntries) -> Places:
        """Where the entries of an id and a day count."""
        return self.places_in(_key(part))

    def places_in(self, key: LogKey) -> Places:
        """Where the entries of an own log count: that of a day which has begun says so itself."""
        stored = self.heads[key]
        if stored.places is not None:
            return placing.decode(stored.places)
        if _has_unplaced(stored):
            return placing.NOWHERE
        return self.people.places_on(schema.person_of(key.pk), key.day, self.not_counted)


def _has_unplaced(stored: StoredHead) -> bool:
    """Whether a head of an earlier version has entries: it does not say where they count, and none has a copy."""
    return stored.places is None and bool(stored.head.tail or stored.head.blocks)


def canonical(places: Places, merges: Merges) -> Places:
    """Places by the ids that their accounts go by now; they are kept by the ids that calls have named."""
    return tuple(
        place if place.account_id is None else place._replace(account_id=merges.canonical(place.account_id))
        for place in places
    )


def _chunks(group: Iterable[OwnEntries], reads: _Reads) -> Iterator[list[OwnEntries]]:
    """Own logs for one transaction each."""
    chunk: list[OwnEntries] = []
    weight = 0.0
    for part in group:
        begins = _head(part, reads.heads).places is None
        more = 1 / (BEGINNINGS_AT_ONCE if begins or part.gates else LOGS_AT_ONCE)
        if chunk and weight + more > 1:
            yield chunk
            chunk, weight = [], 0.0
        chunk.append(part)
        weight += more
    yield chunk


def _commit_chunk(
    chunk: Sequence[OwnEntries], reads: _Reads | None, terms: Terms, accounts: int = ACCOUNTS_AT_ONCE
) -> int:
    """Commit entries in as many transactions as they need; answers how many were new."""
    try:
        return _commit_together(chunk, reads, terms, accounts)
    except TooManyActionsError:
        if len(chunk) > 1:
            halves = chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]
            return sum(_commit_chunk(half, None, terms, accounts) for half in halves)
        if accounts == 1:
            raise
        return _commit_chunk(chunk, None, terms, accounts // 2)


def _commit_together(chunk: Sequence[OwnEntries], reads: _Reads | None, terms: Terms, accounts: int) -> int:
    """Commit entries, so many accounts in one transaction; answers how many were new."""
    accepted, left = 0, True
    while left:
        before: _Made | None = None
        for attempt in attempts(TOO_MANY_WRITERS, terms.sleep):
            if terms.time_left() <= 0:
                raise StorageUnavailableError("out of time")
            if attempt or reads is None:
                reads = _Reads.of(chunk, terms)
            if before is not None and before.made(reads.heads):
                accepted, left = accepted + len(before.fresh), before.left
                break
            try:
                planned = _plan(chunk, reads, terms, accounts)
                if planned is None:
                    return accepted
                if before is not None and before.surely_lost(reads.heads, planned):
                    before.transaction.discard()
                before = planned
                planned.transaction.make()
                accepted, left = accepted + len(planned.fresh), planned.left
                break
            except ConditionFailedError:
                continue
        reads = None
    return accepted


class _Made(NamedTuple):
    """A transaction, and what it commits."""

    transaction: Transaction
    fresh: frozenset[tuple[LogKey, int]]
    """The entries, by log and id."""
    read: Mapping[LogKey, StoredHead]
    left: bool
    """Whether there are more entries, for another transaction."""

    def made(self, heads: Mapping[LogKey, StoredHead]) -> bool:
        """Whether it was made although its answer was lost: one of its heads is there."""
        return any(heads[key].version == version for key, version in self.transaction.versions.items() if key in heads)

    def surely_lost(self, heads: Mapping[LogKey, StoredHead], now: _Made) -> bool:
        """Whether it never will be made, even if it is still on its way: another write has changed a head."""
        moved = any(heads[key].version != self.read[key].version for key, _ in self.fresh)
        return moved and self.fresh <= now.fresh


def _plan(chunk: Sequence[OwnEntries], reads: _Reads, terms: Terms, accounts: int) -> _Made | None:
    """Work out the transaction that commits what is new of the entries; None where nothing is."""
    transaction = Transaction(terms)
    copies: dict[tuple[str, date], list[Entry]] = defaultdict(list)
    fresh, left = set[tuple[LogKey, int]](), False
    depends_on, unplaced = set[str](), set[str]()
    for part in chunk:
        kept = reads.places(part)
        places = canonical(kept, terms.merges)
        chosen, more = _choose(_new(part, reads), places, copies, accounts)
        left = left or more
        if not chosen:
            continue
        key, stored = _key(part), _head(part, reads.heads)
        fresh |= {(key, one.id) for one in chosen}
        transaction.append(key, stored, chosen, places=placing.encode(kept))
        _add_gates(transaction, part, chosen, reads)
        for one in chosen:
            place = place_at(places, one.at)
            if place.account_id is not None:
                copy = one._replace(label=place.label, flags=one.flags | COPY)
                copies[place.account_id, part.day].append(copy)
        for key in _keys(part):
            if reads.heads[key].places is None:
                depends_on |= reads.people.behind_on(part.id, key.day)
                reads.people.records[part.id].has_events = True
            if _has_unplaced(reads.heads[key]):
                unplaced.add(part.id)
    if not fresh:
        return None
    for id_ in sorted(unplaced):
        record = reads.people.records[id_]
        record.unsettled = list(dict.fromkeys((*record.unsettled, id_)))
        transaction.along.append(unsettled.put(id_))
    begun = set(reads.people.changed()) & depends_on
    transaction.along += [reads.people.put(id_) for id_ in sorted(begun)]
    transaction.along += reads.people.checks(depends_on - begun)
    own_copies.add_copies(transaction, copies, terms)
    return _Made(transaction, frozenset(fresh), reads.heads, left)


def _choose(
    entries: Sequence[Entry], places: Places, copies: Mapping[tuple[str, date], Sequence[Entry]], most: int
) -> tuple[list[Entry], bool]:
    """The entries for this transaction, and whether there are more: it has room for some accounts only."""
    accounts = {account_id for account_id, _ in copies}
    chosen = []
    for one in entries:
        account_id = place_at(places, one.at).account_id
        if account_id is not None and account_id not in accounts:
            if len(accounts) >= most:
                continue
            accounts.add(account_id)
        chosen.append(one)
    return chosen, len(chosen) < len(entries)


def _new(part: OwnEntries, reads: _Reads) -> list[Entry]:
    """The entries that are in none of the logs that they would be in."""
    known = known_in(_key(part), reads.heads)
    new = {one.id: one for one in reversed(part.entries) if not known(one.id)}
    for id_, (day, _) in part.gates.items():
        if id_ in new and known_in(LogKey(schema.person_pk(part.id), day), reads.heads)(id_):
            del new[id_]
    return [*new.values()]


def known_in(key: LogKey, heads: Mapping[LogKey, StoredHead]) -> Callable[[int], bool]:
    """Says of an entry's id whether it is in a log, given the log's head."""
    sealed = commit_shard.sealed_part(key, heads[key])
    tail = {one.id for one in heads[key].head.tail}
    return lambda id_: id_ in tail or id_ in sealed.seen


def _add_gates(transaction: Transaction, part: OwnEntries, entries: Iterable[Entry], reads: _Reads) -> None:
    for one in entries:
        if one.id in part.gates:
            day, gate = part.gates[one.id]
            key = LogKey(schema.person_pk(part.id), day)
            transaction.append(key, reads.heads[key], [gate], places=placing.encode(reads.places_in(key)))


def _keys(part: OwnEntries) -> list[LogKey]:
    days = {part.day, *(day for day, _ in part.gates.values())}
    return [LogKey(schema.person_pk(part.id), day) for day in days]


def _key(part: OwnEntries) -> LogKey:
    return LogKey(schema.person_pk(part.id), part.day)


def _head(part: OwnEntries, heads: Mapping[LogKey, StoredHead]) -> StoredHead:
    return heads[_key(part)]
