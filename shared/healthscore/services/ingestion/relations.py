"""Who is who: records what calls say of people, and has what they did count where it belongs from now on.

1. The calls are kept, which may be repeated.
2. The records of ids are changed, each on condition that it is as it was read. A record whose people have events names
   the ids to settle, and a note leads to it.
3. These ids are settled (`storage.day_logs.settle`), and the record names them no more.

A crash after 1 leaves calls that the next repetition finds; one after 2 leaves a record that names the ids to settle.
The next call about any of them goes on, and so does the next night, which finds the note.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.identity.calls import ParsedCalls
from healthscore.core.identity.draft import Draft, device_named
from healthscore.core.identity.record import RELABELLED
from healthscore.core.identity.relations import Relations
from healthscore.core.identity.strangers import ids_to_know
from healthscore.core.time import day_of, from_millis, millis
from healthscore.storage import writes
from healthscore.storage.accounts import existence, merges
from healthscore.storage.day_logs import log_items, settle
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.day_logs.transaction import MOST_BYTES, fits
from healthscore.storage.errors import BeingErasedError, ConditionFailedError, NoRoomError, StorageUnavailableError
from healthscore.storage.people import calls as kept_calls
from healthscore.storage.people import ids, suspects, unsettled
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from healthscore.core.identity.relations import Fact
    from healthscore.settings import Settings
    from healthscore.storage.people.ids import StoredPeople
    from healthscore.storage.writes import Write

TOO_MANY_CHANGES = "what is known of the people of these calls changes too often"
COMPARED = frozenset({"email", "name"})
"""The traits by which the settings may say that a user does not count."""
WRITES_AT_ONCE = 90
"""Records that one transaction puts: DynamoDB takes a hundred items."""
SETTLED_AT_ONCE = 100
"""Ids that are settled before the record stops naming them: a request that runs out of time has made progress."""


def relations_of(calls: ParsedCalls) -> Relations:
    """What calls say about ids."""
    relations = Relations(is_public=calls.is_public)
    for id_, at, account_id, *_ in calls.group_calls:
        relations.grouped[id_].add((at, account_id))
    for device, at, user, *_ in calls.identifications:
        relations.identified[device].add((at, user))
    for previous, at, user, *_ in calls.aliases:
        relations.identified[device_named(previous)].add((at, user))
        if previous != user:
            relations.aliases.add((previous, user))
    for said in calls.people:
        if "internal" in said.traits:
            relations.marked[said.about].add((said.at, said.traits["internal"]))
        for name in COMPARED.intersection(said.traits):
            relations.described[said.about][name].add(said.traits[name])
    return relations


def positions_of(calls: ParsedCalls, facts: Collection[Fact]) -> set[int]:
    """Positions of the calls that say any of these facts."""
    if not facts:
        return set()
    single = [(call.position, ParsedCalls(group_calls=[call])) for call in calls.group_calls]
    single += [(call.position, ParsedCalls(identifications=[call])) for call in calls.identifications]
    single += [(call.position, ParsedCalls(aliases=[call])) for call in calls.aliases]
    single += [(call.position, ParsedCalls(people=[call])) for call in calls.people]
    return {position for position, call in single if any(fact in facts for fact in relations_of(call).facts())}


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records relations for one request, or one night."""

    settings: Settings
    now: datetime
    """When the request came in, aware."""
    time_left: Callable[[], float]
    """Seconds until the answer must be out."""

    def record(self, relations: Relations) -> list[Fact]:
        """Record what calls say, and settle the ids that it is about.

        Returns:
            What there is no room for, and never will be; all else is recorded.

        Raises:
            BeingErasedError: one of the accounts is being erased.
            StorageUnavailableError: some of it is not recorded or settled, or not known to be. It may be sent again,
                and goes on from there.
        """
        if not relations.ids():
            return []
        accounts = {account_id for points in relations.grouped.values() for _, account_id in points}
        accounts |= {*map(merges.known.at_hand().canonical, accounts)} if accounts else set()
        _refuse_if_erasing(accounts)  # nothing is kept that an erasure has passed by
        kept_calls.keep(relations, log_items.expiry(self.now.date(), self.settings.retention_days))
        _refuse_if_erasing(accounts)  # an erasure that has begun meanwhile finds what is kept
        return self._record(relations)

    def _record(self, relations: Relations) -> list[Fact]:
        """Change the records, and settle what that is about; in parts where together it is too much for a record.

        Returns:
            What is too much even alone.
        """
        try:
            people = self._change(relations)
        except NoRoomError:
            halves = relations.halves()
            if halves is None:
                return relations.facts()
            return [fact for half in halves for fact in self._record(half)]
        for id_ in [id_ for id_, record in people.records.items() if record.unsettled]:
            self.settle(id_)
        return []

    def settle(self, id_: str) -> None:
        """Settle the ids that a record names, and have it name them no more.

        Raises:
            StorageUnavailableError: some are left.
        """
        terms = Terms.of(self.settings, self.now, self.time_left)
        left = True
        while left:
            people = ids.read([id_])
            record = people.records[id_]
            waiting = record.unsettled[:SETTLED_AT_ONCE]
            for other in waiting:
                settle.settle(other.removeprefix(RELABELLED), terms, labels=other.startswith(RELABELLED))
            record.unsettled = record.unsettled[len(waiting) :]
            left = bool(record.unsettled)
            # On condition of what was read before: what another request has named since is not settled yet.
            itself = [people.put(id_)] if waiting else people.checks([id_])
            try:
                writes.apply(*itself, *([] if left else [unsettled.delete(id_)]))
            except ConditionFailedError:
                self._check_time()
                left = True

    def _change(self, relations: Relations) -> StoredPeople:
        """Change the records as calls say; answers them as they are now."""
        again: list[str] = []
        for _ in attempts(TOO_MANY_CHANGES):
            self._check_time()
            people = ids.read([*relations.ids(), *again])
            draft = self._drafted(people, relations, again)
            try:
                changed = self._save(people, draft)
            except ConditionFailedError:
                continue
            again = draft.refreshed if changed else []
            if not again:
                return people
        raise AssertionError("attempts ends by an error")

    def _check_time(self) -> None:
        if self.time_left() <= 0:
            raise StorageUnavailableError("out of time")

    def _drafted(self, people: StoredPeople, relations: Relations, again: Sequence[str]) -> Draft:
        ids.read_more(people, ids_to_know(people, is_public=relations.is_public))
        draft = Draft(
            people,
            relations,
            lambda at: day_of(from_millis(at), self.settings.zone),
            self.settings.identity.not_counted,
            again,
        )
        identified = kept_calls.identified(draft.devices_to_read())
        ids.read_more(people, {user for points in identified.values() for _, user in points})
        draft.identify(identified)
        to_read = draft.ids_to_read()
        ids.read_more(people, to_read)
        draft.group(kept_calls.grouped(to_read))
        return draft

    def _save(self, people: StoredPeople, draft: Draft) -> bool:
        """Put the records that have changed, and have one of them name the ids to settle; answers whether any has.

        Raises:
            NoRoomError: one of them would be too large; nothing is put.
        """
        changed = people.changed()
        if not changed:
            return False
        suspects.note(draft.suspects, millis(self.now))
        ids.read_more(people, draft.affected)
        holder = people.records[changed[0]]
        unsettled_before, named = holder.unsettled, _to_settle(people, draft)
        holder.unsettled = _together(unsettled_before, _as_named(draft, draft.affected))  # `late` is to have room
        people.check_room(changed)
        holder.unsettled = _together(unsettled_before, named)
        seen = {*changed, *(one.removeprefix(RELABELLED) for one in named)}
        unseen = [id_ for id_ in draft.affected if id_ not in seen]
        puts = [people.put(id_) for id_ in changed]
        transactions = _transactions(puts)
        if named:
            transactions[0].append(unsettled.put(holder.id))
        with_checks = [*transactions[0], *people.checks(unseen)]
        if fits(with_checks):  # none of them has begun a log meanwhile
            transactions[0], unseen = with_checks, []
        for transaction in transactions:
            self._check_time()
            writes.apply(*transaction)
        # A log that was begun meanwhile is not missed: its beginning has changed a record that is read again here.
        late = _to_settle(ids.read(unseen), draft, unseen) if unseen else []
        if late or (named and len(transactions) > 1):
            # Another request may have settled, by half of the changes, what the first put has named.
            holder.unsettled = _together(holder.unsettled, named, late)
            writes.apply(people.put(holder.id), unsettled.put(holder.id))
        return True


def _transactions(puts: Sequence[Write]) -> list[list[Write]]:
    """Puts of records in as few transactions as they need, in their order."""
    transactions: list[list[Write]] = [[]]
    size = 0
    for put in puts:
        size += put.size
        if len(transactions[-1]) >= WRITES_AT_ONCE or size > MOST_BYTES:
            transactions.append([])
            size = put.size
        transactions[-1].append(put)
    return transactions


def _to_settle(people: StoredPeople, draft: Draft, ids_: Iterable[str] | None = None) -> list[str]:
    """Those of the affected ids that did anything which the change is about, as records name them."""

    def did(id_: str) -> bool:
        record = people.records[id_]
        return record.has_events or (id_ in draft.relabelled and record.is_named)

    return _as_named(draft, filter(did, draft.affected if ids_ is None else ids_))


def _as_named(draft: Draft, ids_: Iterable[str]) -> list[str]:
    """Ids to settle as records name them."""
    return [f"{RELABELLED}{id_}" if id_ in draft.relabelled else id_ for id_ in ids_]


def _together(*lists: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(id_ for ids_ in lists for id_ in ids_))


def _refuse_if_erasing(account_ids: Collection[str]) -> None:
    if account_ids and existence.any_erasing(account_ids):
        raise BeingErasedError("the account is being erased")
