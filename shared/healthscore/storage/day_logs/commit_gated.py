"""Committing an event whose clock was surely wrong, and that names its account (table Activity).

The event counts on the day that its corrected time falls on. The same bytes delivered again may be corrected otherwise,
or not at all once the time has come that the wrong clock named. So a gate with the event's id goes into the log of the
day that the clock named, in the same transaction: whoever finds the id there knows that the event has been decided on.
An event with a right clock pays nothing for this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import GATE
from healthscore.core.day_log.shards import shard_of
from healthscore.core.identity.places import labelled
from healthscore.storage import schema
from healthscore.storage.day_logs import commit_day, commit_own, moving, own_copies
from healthscore.storage.day_logs.log_items import LogKey
from healthscore.storage.day_logs.transaction import Transaction
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.people import ids as ids_of_people
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import StoredHead
    from healthscore.storage.day_logs.terms import Terms


def gate_of(entry: Entry, written: int) -> Entry:
    """The gate of an entry: it counts nothing.

    Args:
        entry: the entry, at its corrected time.
        written: the time that the wrong clock named, in milliseconds.
    """
    return entry._replace(at=written, name="", page="", flags=entry.flags | GATE)


def commit(account_id: str, day: date, entry: Entry, *, gate_day: date, gate: Entry, terms: Terms) -> bool:
    """Commit an entry to an account's day, and its gate to another; answers whether the entry is new.

    Args:
        account_id: the account that the event names.
        day: the day of the entry's corrected time, in the workspace's zone.
        entry: the entry.
        gate_day: the day that the wrong clock named.
        gate: as of `gate_of`.
        terms: as for other commits.

    Raises:
        MergedError: the account was given up for another one meanwhile.
        StorageUnavailableError: not committed, or not known to be; it may be committed again.
    """
    account_id = terms.merges.canonical(account_id)
    pk, before = schema.activity_pk(account_id), None
    for of_day in {day, gate_day}:
        moving.move_day_to(account_id, of_day, terms)
    for _ in attempts(commit_own.TOO_MANY_WRITERS, terms.sleep):
        try:
            transaction = Transaction(terms)
            entry, gate = _labelled(transaction, account_id, ((day, entry), (gate_day, gate)), terms)
            reads = commit_day.read({(pk, day), (pk, gate_day)}, terms.now)
            first_seen = reads.first_seen[pk]
            heads: dict[LogKey, StoredHead] = {}
            for of_day, one in ((day, entry), (gate_day, gate)):
                heads |= own_copies.account_heads(LogKey(pk, of_day), reads.head(pk, of_day), first_seen, [one], terms)
            home = LogKey(pk, day, shard_of(entry, heads[LogKey(pk, day)].head.shards))
            gated = LogKey(pk, gate_day, shard_of(gate, heads[LogKey(pk, gate_day)].head.shards))
            if before is not None and heads[home].version == before:
                return True
            if any(commit_own.known_in(key, heads)(entry.id) for key in (home, gated)):
                return False
            transaction.append(home, heads[home], [entry])
            transaction.append(gated, heads[gated], [gate])
            transaction.see(account_id, first_seen, [entry])
            before = transaction.versions[home]
            transaction.make()
        except ConditionFailedError:
            continue
        return True
    raise AssertionError("attempts ends by an error")


def _labelled(
    transaction: Transaction, account_id: str, on_days: Iterable[tuple[date, Entry]], terms: Terms
) -> list[Entry]:
    """Entries of one person with the labels of their days, on whose records the transaction depends from now on."""
    on_days = list(on_days)
    person = on_days[0][1].person
    if person is None:
        return [one for _, one in on_days]
    pairs = [(person, account_id)]
    people = ids_of_people.read([person], pairs)
    ids_of_people.note_naming(people, pairs)
    behind = set[str]().union(*(people.behind_on(person, of_day) for of_day, _ in on_days))
    transaction.along += people.checks(behind)
    return [labelled(one, people.places_on(person, of_day, terms.not_counted)) for of_day, one in on_days]
