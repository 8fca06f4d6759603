"""Who belongs where (table Activity, beside the logs of events that nobody has said an account of).

A person's item lists where they belonged since when, and by which users' ids they are known as well: an anonymous
visitor who signs in belongs where the user belongs. A copy of each fact stands in the partition of what it is about:
an account's partition names its people, and a user's the other ids, so that both can be found from either end.

Where events count is decided by these items, so whoever commits events by them does so on condition that they still
stand as they were read: that is a `VersionCheck`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.memberships import merge_memberships
from healthscore.core.identity.traits import with_traits
from healthscore.storage import schema
from healthscore.storage.accounts import existence
from healthscore.storage.batches import batch_get
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import BeingErasedError, ConditionFailedError, MovedError
from healthscore.storage.people import pending_moves
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from healthscore.core.identity.memberships import Membership


MAX_LINKS = 10
"""Users that one anonymous id is linked to, as on a shared device; further ones are not followed."""


@dataclass(frozen=True, slots=True)
class VersionCheck:
    """People's items as they were read, that a commit is made on condition of."""

    versions: Mapping[str, str | None]
    """Version of each item by its person; None where there is none."""

    def checks(self) -> list[dict[str, Any]]:
        """The conditions, as parts of a transaction."""
        return [_check(person, version) for person, version in self.versions.items()]

    def verify(self) -> None:
        """Look whether the items still stand as they were read.

        Raises:
            MovedError: they do not.
            StorageUnavailableError: the table cannot be read now.
        """
        items = _items(self.versions)
        if any(_version(items.get(person)) != version for person, version in self.versions.items()):
            raise MovedError


@dataclass(frozen=True, slots=True)
class PersonAccounts:
    """Where a person belongs, as it was read."""

    memberships: tuple[Membership, ...]
    """Their own and those of the users that they are known to be; sorted."""
    version_check: VersionCheck

    @property
    def accounts(self) -> frozenset[str]:
        """Every account that the person belonged to at any time."""
        return frozenset(account for _, account in self.memberships)


def read(people: Iterable[str]) -> dict[str, PersonAccounts]:
    """Where people belong, read consistently.

    Args:
        people: named as in `core.day_log.codec.Entry`.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    people = set(people)
    items = _items(people)
    further = {user for item in items.values() for user in _links(item)} - people
    items |= _items(further)
    return {person: _belonging(person, items) for person in people}


def join(person: str, memberships: Collection[Membership]) -> pending_moves.Note | None:
    """Note that a person belongs to accounts, each since an instant.

    Returns:
        The note that events of the person may be waiting to be moved, where this is the first account that is said of
        them; whoever has moved the events deletes it.

    Raises:
        BeingErasedError: one of the accounts is being erased.
        StorageUnavailableError: not noted, or not known to be; the same may be said again.
    """
    attempts, note = count(), pending_moves.note(person)
    first = False

    def change(item: dict[str, Any] | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        nonlocal first
        known = _memberships(item)
        first = not known
        said = merge_memberships(known, memberships)
        new = sorted({account for _, account in said} - {account for _, account in known})
        if next(attempts) and any(existence.erasing(account) for account in new):
            raise BeingErasedError("the account is being erased")
        copies = [_put(_key(schema.activity_pk(account), schema.member_key(person))) for account in new]
        sets = {"m": {"S": json.dumps(said, ensure_ascii=False, separators=(",", ":"))}}
        return sets, [*copies, *existence.not_erasing(new), *([_put(note)] if first else ())]

    return note if _change(person, change) and first else None


def link(person: str, user: str) -> pending_moves.Note | None:
    """Note that a person is known by a user's id as well, and belongs where that user belongs.

    Returns:
        The note that events of the person may be waiting to be moved, where the link is new.

    Raises:
        StorageUnavailableError: not noted, or not known to be; the same may be said again.
    """
    note = pending_moves.note(person)

    def change(item: dict[str, Any] | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        links = _links(item)
        if user in links or len(links) >= MAX_LINKS:
            return {}, []
        said = json.dumps([*links, user], ensure_ascii=False, separators=(",", ":"))
        return {"l": {"S": said}}, [_put(_key(schema.person_pk(user), schema.alias_key(person))), _put(note)]

    return note if _change(person, change) else None


def describe(person: str, said: Mapping[str, Any], at: int) -> None:
    """Note who a person is.

    Args:
        person: the person.
        said: name, e-mail address and title, as far as they were said.
        at: when, in milliseconds; what was said later than that stands.

    Raises:
        StorageUnavailableError: not noted, or not known to be.
    """
    key = _key(schema.person_pk(person), schema.TRAITS)
    patience = Backoff("too many writers at once for one person")
    while True:
        item = call(dynamodb().get_item, TableName=schema.activity_table(), Key=key, ConsistentRead=True).get("Item")
        read = item["t"]["S"] if item else None
        traits = with_traits({} if read is None else traits_from_text(read), said, at)
        if traits is None:
            return
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if read is not None:
            condition = {"ConditionExpression": "t = :read", "ExpressionAttributeValues": {":read": {"S": read}}}
        put = {**key, "t": {"S": json.dumps(traits, ensure_ascii=False, separators=(",", ":"))}}
        try:
            call(dynamodb().put_item, TableName=schema.activity_table(), Item=put, **condition)
        except ConditionFailedError:
            patience.wait()
            continue
        return


def traits_from_text(text: str) -> dict[str, tuple[Any, int]]:
    """Traits as they are stored: JSON of `{name: [value, milliseconds]}`."""
    return {name: (value, at) for name, (value, at) in json.loads(text).items()}


def known_as(user: str) -> list[str]:
    """All ids of a person: the user's, then those that lead to it, and those that lead to these.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    found = [user]
    for person in found:  # which grows meanwhile
        found += [other for other in aliases(person) if other not in found]
    return found


def aliases(user: str) -> list[str]:
    """The other ids by which a user is known.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().query,
        TableName=schema.activity_table(),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": schema.person_pk(user)}, ":prefix": {"S": schema.ALIASES_PREFIX}},
        ProjectionExpression="sk",
        ConsistentRead=True,
    )
    return [item["sk"]["S"].removeprefix(schema.ALIASES_PREFIX) for item in items]


def _change(
    person: str, change: Callable[[dict[str, Any] | None], tuple[dict[str, Any], list[dict[str, Any]]]]
) -> bool:
    """Set attributes of a person's item, and do what belongs to it, on condition that it still is as it was read.

    Returns:
        Whether there was anything to change.
    """
    patience = Backoff("too many writers at once for one person")
    while True:
        item = _items([person]).get(person)
        sets, further = change(item)
        if item is not None and all(item.get(name) == value for name, value in sets.items()):
            return False
        put = {
            "TableName": schema.activity_table(),
            "Item": {**(item or _member_key(person)), **sets, "v": {"S": secrets.token_urlsafe(8)}},
            **_condition(_version(item)),
        }
        try:
            if further:
                call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, *further])
            else:
                call(dynamodb().put_item, **put)
        except ConditionFailedError:
            patience.wait()
            continue
        return True


def _items(people: Collection[str]) -> dict[str, dict[str, Any]]:
    wanted = [(schema.activity_table(), _member_key(person)) for person in sorted(people)]
    items = batch_get(wanted, {schema.activity_table(): {"ConsistentRead": True}})
    return {schema.person_of(item["pk"]["S"]): item for _, item in items}


def _belonging(person: str, items: Mapping[str, dict[str, Any]]) -> PersonAccounts:
    item = items.get(person)
    users = _links(item)
    memberships = {membership for one in (person, *users) for membership in _memberships(items.get(one))}
    return PersonAccounts(
        tuple(sorted(memberships)), VersionCheck({one: _version(items.get(one)) for one in (person, *users)})
    )


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _member_key(person: str) -> dict[str, Any]:
    return _key(schema.person_pk(person), schema.MEMBER)


def _put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": schema.activity_table(), "Item": item}}


def _check(person: str, version: str | None) -> dict[str, Any]:
    return {"ConditionCheck": {"TableName": schema.activity_table(), "Key": _member_key(person), **_condition(version)}}


def _condition(version: str | None) -> dict[str, Any]:
    if version is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "v = :read", "ExpressionAttributeValues": {":read": {"S": version}}}


def _version(item: Mapping[str, Any] | None) -> str | None:
    return item["v"]["S"] if item else None


def _memberships(item: Mapping[str, Any] | None) -> tuple[Membership, ...]:
    return tuple((at, account) for at, account in json.loads(item["m"]["S"])) if item and "m" in item else ()


def _links(item: Mapping[str, Any] | None) -> list[str]:
    links: list[str] = json.loads(item["l"]["S"]) if item and "l" in item else []
    return links
