"""Takes people out of an account, and deletes those who belong to no other (table Activity).

A person leaves under every id: the events that count for the account are deleted from the ids' own logs, then the calls
and the records forget the account. Each step may be repeated. The account's own list of ids goes last, so that the next
call finds by it what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import NOT_COUNTED
from healthscore.core.day_log.log import MissingBlockError
from healthscore.core.identity import places as placing
from healthscore.core.identity.people import ids_of, memberships
from healthscore.core.identity.places import place_at
from healthscore.core.identity.timeline import timeline_of
from healthscore.storage import codec, reads, schema, workspace, writes
from healthscore.storage.accounts import merges
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import rewrite, settle
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.day_logs.transaction import Transaction
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.kinds import Kind
from healthscore.storage.people import calls, ids, suspects, unsettled
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date, datetime

    from healthscore.core.identity.places import Place
    from healthscore.core.identity.record import IdRecord
    from healthscore.storage.codec import Item
    from healthscore.storage.erasure.eraser import AccountErasure, UserErasure
    from healthscore.storage.people.ids import StoredPeople

COVERS = USERS_COVERS = frozenset(
    {
        Kind.MEMBER,
        Kind.ID_RECORD,
        Kind.GROUP_CALL,
        Kind.IDENTIFY_CALL,
        Kind.NAMED_ACCOUNT,
        Kind.TRAITS,
        Kind.UNSETTLED,
        Kind.SUSPECT,
        Kind.OWN_DAY_HEAD,
        Kind.OWN_BLOCK,
    }
)
TOO_MANY_WRITERS = "too many writers at once for the ids of one person"


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Have everybody leave who is known to the account, one id after the other."""
    for id_ in calls.members(erasure.account_id):
        for _ in leave(id_, erasure.ids, erasure.now):
            yield 0
        yield 1


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Have the user leave under every id."""
    account_ids = (*merges.read().merges.given_up_for(erasure.account_id), erasure.account_id)
    for _ in leave(f"u{erasure.user_id}", account_ids, erasure.now):
        yield 1
    yield 1


def known_as(user: str) -> list[str]:
    """All ids that are this person's alone: the user's, the other user ids, then devices that nobody else was seen on.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    people = ids.read([user])
    person = people.person_of(user)
    ids.read_more(people, person.devices)
    users = [user, *(other for other in (person.id, *person.users) if other != user)]
    return [*users, *(device for device in person.devices if _owners(people, device) <= {person.id})]


def leave(id_: str, account_ids: Collection[str], now: datetime) -> Iterator[int]:
    """Take the people behind an id out of an account; those who belong to no other account are deleted.

    Args:
        id_: an id that the account knows.
        account_ids: all ids of the account.
        now: the time of the erasure, aware.

    Yields:
        After each step, after which the rest may be left to another call.

    Raises:
        StorageUnavailableError: something is left.
    """
    people = ids.read([id_])
    record = people.records[id_]
    persons = (_owners(people, id_) or {id_}) if record.is_device else {people.person_of(id_).id}
    for person_id in sorted(persons):
        ids.read_more(people, ids_of(people.records[person_id]))
        theirs = ids_of(people.records[person_id])
        for one in theirs:
            for day in settle.own_days(one) if people.records[one].has_events else ():
                _delete_own(one, day, account_ids, theirs, now)
                yield 1
        for one in theirs:
            _forget_calls(one, account_ids)
            yield 1
        _forget_account(person_id, account_ids, now, found_by=id_)
        yield 1
        # Last, since the next call finds by these what is left.
        others = [one for one in theirs if one != id_]
        writes.delete_all(schema.activity_table(), _members(account_ids, others))
    writes.delete_all(schema.activity_table(), _members(account_ids, [id_]))


def _members(account_ids: Collection[str], ids_: Collection[str]) -> list[Item]:
    return [calls.member(account_id, id_) for account_id in account_ids for id_ in ids_]


def _owners(people: StoredPeople, device: str) -> set[str]:
    return {people.person_of(owner).id for _, owner in people.records[device].owners}


def _delete_own(id_: str, day: date, account_ids: Collection[str], theirs: Collection[str], now: datetime) -> None:
    """Delete from an own log what counts for an account as the person's, and the account's name.

    What counts is what the records say: not all of it may be settled, and for an account that is being erased it never
    is.
    """

    def is_theirs(place: Place) -> bool:
        return place.account_id in account_ids and (place.label or id_).removeprefix(NOT_COUNTED) in theirs

    terms = _terms(now)
    for _ in attempts(TOO_MANY_WRITERS):
        try:
            people, log = ids.read([id_]), rewrite.read(schema.person_pk(id_), day)
            if log is None:
                return
            ((key, stored),) = log.heads.items()
            places = placing.NOWHERE if stored.places is None else placing.decode(stored.places)
            wanted = people.places_on(id_, day, terms.not_counted)
            kept = [one for one in log.all_entries if not is_theirs(place_at(wanted, one.at))]
            without = [place._replace(account_id=None) if is_theirs(place) else place for place in places]
            if len(kept) == len(log.all_entries) and (*without,) == places:
                return
            transaction = Transaction(terms)
            transaction.replace(key, stored, kept, places=placing.encode(placing.merged(without)))
            transaction.make()
        except (ConditionFailedError, MissingBlockError):
            continue
        log.delete_blocks([key])
        return


def _forget_calls(id_: str, account_ids: Collection[str]) -> None:
    points = [point for point in calls.grouped([id_])[id_] if point[1] in account_ids]
    keys = [codec.key(schema.person_pk(id_), schema.call_key(schema.GROUPED, *point)) for point in points]
    named = [ids.named_key(id_, account_id) for account_id in account_ids]
    writes.delete_all(schema.activity_table(), [*keys, *named])


def _forget_account(person_id: str, account_ids: Collection[str], now: datetime, *, found_by: str) -> None:
    """Take an account out of the records of a person; a person without any other is deleted.

    Args:
        person_id: the id that stands for the person.
        account_ids: all ids of the account.
        now: the time of the erasure, aware.
        found_by: the id by which the next call finds the person again.
    """
    for _ in attempts(TOO_MANY_WRITERS):
        people = ids.read([person_id])
        theirs = ids_of(people.records[person_id])
        ids.read_more(people, theirs)
        kept = calls.grouped(
            one for one in theirs if people.records[one].groups or one in people.records[person_id].grouping
        )
        for one in theirs:
            _without(people.records[one], account_ids, kept.get(one, []))
        person = people.records[person_id]
        try:
            if not memberships(person) and not any(settle.naming(one) for one in theirs):
                _delete_person(people, person, found_by)
                return
            changed = people.changed()
            for id_ in changed:
                writes.apply(people.put(id_))
        except ConditionFailedError:
            continue
        for one in theirs if changed else ():
            settle.settle(one, _terms(now))
        return


def _without(record: IdRecord, account_ids: Collection[str], kept: list[tuple[int, str]]) -> None:
    record.groups = timeline_of(point for point in (*record.groups, *kept) if point[1] not in account_ids)
    if record.memberships is not None:
        record.memberships = timeline_of(point for point in record.memberships if point[1] not in account_ids)


def _delete_person(people: StoredPeople, person: IdRecord, found_by: str) -> None:
    """Delete all of a person's ids; a device that is somebody else's as well forgets the person.

    The id by which the person is found goes last, together with the one that leads to all others: a call that goes on
    after a crash needs both.

    Raises:
        ConditionFailedError: one of the records has changed since it was read.
    """
    users = {person.id, *person.users}
    for device in person.devices:
        record = people.records[device]
        record.owners = timeline_of(point for point in record.owners if point[1] not in users)
        if record.owners or record.groups or settle.naming(device):
            kept = [point for point in calls.identified([device])[device] if point[1] in users]
            keys = [codec.key(schema.person_pk(device), schema.call_key(schema.IDENTIFIED, *point)) for point in kept]
            writes.delete_all(schema.activity_table(), keys)
            writes.apply(people.put(device))
        else:
            _delete_id(device)
    last = users & {person.id, found_by}
    for user in (*sorted(users - last), *sorted(last)):
        _delete_id(user, with_record=user not in last)
    writes.apply(*(writes.delete(schema.activity_table(), ids.id_key(user)) for user in sorted(last)))


def _delete_id(id_: str, *, with_record: bool = True) -> None:
    request = reads.partition(schema.activity_table(), schema.person_pk(id_), attributes=("pk", "sk"))
    keys: list[Item] = [codec.key_of(item) for item in pages(dynamodb().query, **request)]
    record = ids.id_key(id_)
    writes.apply(unsettled.delete(id_))
    suspects.forget([id_])
    writes.delete_all(schema.activity_table(), [key for key in keys if key != record])
    if with_record:
        writes.apply(writes.delete(schema.activity_table(), record))


def _terms(now: datetime) -> Terms:
    return Terms.of(workspace.settings().settings, now)
