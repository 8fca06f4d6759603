"""Settling: what an id did counts where it belongs by what is known now (table Activity).

The own log of an id and a day says where its entries have their copies. Where that is not what the records of ids say,
the copies are changed together with it, in one transaction. Entries that name their account stay there, and get another
label where it becomes known whose they are. Each transaction holds only while the records are as they were read, so an
older settlement never undoes a newer one. All of it may be interrupted and done again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import COPY, GATE
from healthscore.core.day_log.log import MissingBlockError
from healthscore.core.identity import places as placing
from healthscore.core.identity.places import place_at
from healthscore.storage import codec, reads, schema
from healthscore.storage.accounts import existence, late
from healthscore.storage.accounts.first_seen import changed_first_seen
from healthscore.storage.accounts.merges import merged_error
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import commit_own, log_items, moving, own_copies, rewrite, whole_days
from healthscore.storage.day_logs.log_items import LogKey
from healthscore.storage.day_logs.transaction import TooManyActionsError, Transaction
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.people import ids as ids_of_people
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.identity.people import People
    from healthscore.core.identity.places import Places
    from healthscore.storage.day_logs.terms import Terms

ACCOUNTS_AT_ONCE, RECORDS_AT_ONCE = 12, 60
"""Accounts whose logs one transaction changes, and records on which it depends; with the heads of a day in shards, they
stay below a hundred."""
TOO_MANY_WRITERS = "too many writers at once for the logs that an event is to be moved between"


def settle(id_: str, terms: Terms, *, labels: bool = True) -> None:
    """Have everything that an id did count where it belongs.

    Args:
        id_: the id.
        terms: as for commits.
        labels: whether entries that name their account may have a wrong label: these are looked for in all days of
            the accounts.

    Raises:
        MergedError: one of the accounts was given up for another one meanwhile.
        StorageUnavailableError: something may be left; the same call goes on.
    """
    record = ids_of_people.read([id_]).records[id_]
    if record.has_events:
        for day in own_days(id_):
            _retried(partial(_settle_own, id_, day, terms), terms)
    if record.is_named and labels:
        accounts = sorted({terms.merges.canonical(account_id) for account_id in naming(id_)})
        for account_id in accounts:
            moving.move_to(account_id, terms)
            for day in whole_days.days(schema.activity_pk(account_id)):
                settle_named([id_], account_id, day, terms)
        if existence.any_merged(accounts):
            raise merged_error()


def settle_named(ids: Collection[str], account_id: str, day: date, terms: Terms) -> None:
    """Give the entries of ids that name an account the labels that they should have, in the account's log of a day.

    Raises:
        StorageUnavailableError: something may be left; the same call goes on.
    """
    _retried(partial(_settle_named, ids, account_id, day, terms), terms)


def is_named(entry: Entry) -> bool:
    """Whether an entry of an account's log is there because its event names the account; a gate as well."""
    return not entry.flags & COPY


def own_days(id_: str) -> list[date]:
    """The days of which an id has an own log, earliest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    pk = schema.person_pk(id_)
    request = reads.partition(schema.activity_table(), pk, prefix=schema.DAYS_PREFIX, attributes=("sk",))
    return [schema.parse_day_key(codec.text_of(item, "sk"))[0] for item in pages(dynamodb().query, **request)]


def naming(id_: str) -> list[str]:
    """The accounts that events of an id name themselves. Raises as `own_days` does."""
    pk, prefix = schema.person_pk(id_), schema.NAMED_ACCOUNTS
    request = reads.partition(schema.activity_table(), pk, prefix=prefix, attributes=("sk",))
    return [codec.text_of(item, "sk").removeprefix(prefix) for item in pages(dynamodb().query, **request)]


def _retried(step: Callable[[], bool], terms: Terms) -> None:
    """Make a step, again after a lost race, until it answers that nothing is left."""
    left = True
    while left:
        for _ in attempts(TOO_MANY_WRITERS, terms.sleep):
            if terms.time_left() <= 0:
                raise StorageUnavailableError("out of time")
            try:
                left = step()
                break
            except (ConditionFailedError, MissingBlockError):
                continue


def _settle_own(id_: str, day: date, terms: Terms) -> bool:
    """Settle the own log of a day, or a part of it; answers whether something is left."""
    accounts = ACCOUNTS_AT_ONCE
    while True:
        try:
            return _settle_part(id_, day, terms, accounts)
        except TooManyActionsError:
            if accounts == 1:
                raise
            accounts //= 2


def _settle_part(id_: str, day: date, terms: Terms, accounts: int) -> bool:
    """Settle the own log of a day, so many accounts and a further one in one transaction."""
    people = ids_of_people.read([id_])
    log = rewrite.read(schema.person_pk(id_), day)
    if log is None:
        return False
    ((key, stored),) = log.heads.items()
    wanted = people.places_on(id_, day, terms.not_counted)
    before = placing.NOWHERE if stored.places is None else placing.decode(stored.places)
    if stored.places is not None and placing.encode(wanted) == stored.places:
        return False
    entries = sorted(one for one in log.all_entries if not one.flags & GATE)
    after = _next_places(entries, before, wanted, accounts)
    transaction = Transaction(terms)
    transaction.place(key, stored, placing.encode(after))
    transaction.along += people.checks(people.behind_on(id_, day))
    old, new = (_copies(entries, commit_own.canonical(places, terms.merges)) for places in (before, after))
    only_added: dict[tuple[str, date], list[Entry]] = {}
    rewritten = []
    for account_id in sorted(old.keys() | new.keys()):
        moving.move_day_to(account_id, day, terms)
        gone, come = _difference(old.get(account_id, []), new.get(account_id, []))
        if gone:
            rewritten.append(_replace(transaction, account_id, day, gone, come, terms=terms))
        elif come:
            only_added[account_id, day] = come
    own_copies.add_copies(transaction, only_added, terms)
    transaction.make()
    for read_day, shards in rewritten:
        read_day.delete_blocks(shards)
    return after != wanted


def _next_places(entries: Sequence[Entry], before: Places, wanted: Places, most: int) -> Places:
    """The wanted places up to an instant, and those of before from there on: as far as one transaction goes."""
    accounts: set[str | None] = set()
    for one in entries:
        now, then = place_at(before, one.at), place_at(wanted, one.at)
        if now[1:] == then[1:]:
            continue
        accounts |= {now.account_id, then.account_id}
        if len(accounts) > most + 1:
            until = one.at
            early = [place for place in wanted if place.since < until] or [wanted[0]]
            late = [place for place in before if place.since > until]
            return placing.merged([*early, place_at(before, until)._replace(since=until), *late])
    return wanted


def _copies(entries: Iterable[Entry], places: Places) -> dict[str, list[Entry]]:
    """The copies of entries, by account."""
    copies: dict[str, list[Entry]] = defaultdict(list)
    for one in entries:
        place = place_at(places, one.at)
        if place.account_id is not None:
            copies[place.account_id].append(one._replace(label=place.label, flags=one.flags | COPY))
    return copies


def _difference(old: Iterable[Entry], new: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    gone, come = set(old) - set(new), set(new) - set(old)
    return sorted(gone), sorted(come)


def _replace(
    transaction: Transaction, account_id: str, day: date, gone: Sequence[Entry], come: Sequence[Entry], *, terms: Terms
) -> tuple[rewrite.ReadDay, list[LogKey]]:
    """Take copies out of an account's day, and add others."""
    pk = schema.activity_pk(account_id)
    log = rewrite.read(pk, day) or rewrite.ReadDay({LogKey(pk, day): []}, {LogKey(pk, day): log_items.NO_HEAD})
    taken = {one.id for one in gone}
    person = gone[0].person
    kept = [one for one in log.all_entries if not (one.flags & COPY and one.person == person and one.id in taken)]
    there = {one.id for one in kept}
    entries = [*kept, *(one for one in come if one.id not in there)]
    shards = _rewrite(transaction, account_id, day, log, entries, terms=terms)
    # What is not here may have been moved, by a merge that this process does not know of.
    transaction.not_merged(account_id)
    if not shards:
        log_items.read_logs((), [pk])
    return log, shards


def _settle_named(ids: Collection[str], account_id: str, day: date, terms: Terms) -> bool:
    """Label the entries of ids that name an account, or of some of them; answers whether some are left."""
    log = rewrite.read(schema.activity_pk(account_id), day)
    theirs = {one.person for one in log.all_entries if is_named(one)} & {*ids} if log is not None else set()
    if log is None or not theirs:
        return False
    people = ids_of_people.read(id_ for id_ in theirs if id_ is not None)
    wrong = people.mislabelled(log.all_entries, day, terms.not_counted) & theirs
    if not wrong:
        return False
    chosen, depends_on = _at_once(people, sorted(wrong), day)
    places = {id_: people.places_on(id_, day, terms.not_counted) for id_ in chosen}
    entries = {
        one.id: placing.labelled(one, places[one.person]) if one.person in places and is_named(one) else one
        for one in log.all_entries
    }
    transaction = Transaction(terms)
    shards = _rewrite(transaction, account_id, day, log, [*entries.values()], terms=terms)
    if shards:
        transaction.along += people.checks(depends_on)
        transaction.make()
        log.delete_blocks(shards)
    return len(chosen) < len(wrong)


def _at_once(people: People, ids: Iterable[str], day: date) -> tuple[list[str], set[str]]:
    """Those of ids that one transaction has room for, and the ids whose records decide on them."""
    chosen: list[str] = []
    depends_on = set[str]()
    for id_ in ids:
        behind = people.behind_on(id_, day)
        if not chosen or len(depends_on | behind) <= RECORDS_AT_ONCE:
            chosen.append(id_)
            depends_on |= behind
    return chosen, depends_on


def _rewrite(
    transaction: Transaction,
    account_id: str,
    day: date,
    log: rewrite.ReadDay,
    entries: Sequence[Entry],
    *,
    terms: Terms,
) -> list[LogKey]:
    """Rewrite an account's day, and its first-seen times with it."""
    shards = log.rewrite(transaction, entries)
    if shards:
        pk = schema.activity_pk(account_id)
        found = log_items.read_logs((), [pk])
        late.mark(account_id, found.late.get(pk), day, terms.now)
        read = found.first_seen[pk]
        times = _first_seen(account_id, day, read, log.all_entries, entries)
        changed = changed_first_seen(times, entries, terms.milestones)
        now = times if changed is None else changed
        if now != read or read is not None:
            transaction.set_first_seen(account_id, read, now or "{}", entries)
    return shards


def _first_seen(
    account_id: str, day: date, first_seen: str | None, before: Iterable[Entry], after: Iterable[Entry]
) -> str | None:
    """An account's first-seen times without those that only entries had which are gone from a day.

    A later day has the first one then, or no day has: nothing of that name is earlier than what is gone.
    """
    times: dict[str, int] = json.loads(first_seen or "{}")
    stay = {(one.name, one.at) for one in after if one.counts}
    lost = {one.name for one in before if one.counts and times.get(one.name) == one.at} - {
        name for name, at in stay if times.get(name) == at
    }
    if not lost:
        return first_seen
    for name in lost:
        del times[name]
    pk = schema.activity_pk(account_id)
    for later in (one for one in whole_days.days(pk) if one >= day):
        if not lost:
            break
        for one in after if later == day else whole_days.read_day(pk, later):
            if one.counts and one.name in lost:
                times[one.name] = min(one.at, times.get(one.name, one.at))
        lost -= times.keys()
    return codec.dumps(times)
