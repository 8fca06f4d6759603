"""Which accounts people belong to, and who they are (table Activity, beside the logs of people of no known account).

A person's item lists their accounts by time, and the users' ids by which they are known as well: an anonymous visitor
who signs in belongs to the accounts of that user. Each fact has a copy in the partition of what it is about: an
account's partition names its people, and a user's the other ids, so that both are found from either end.

These items decide where events count. So events are committed on condition that the items are unchanged since they were
read: that is a `VersionCheck`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.memberships import merge_memberships
from healthscore.core.identity.traits import with_traits
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import existence
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import BeingErasedError, MovedError
from healthscore.storage.people import pending_moves
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from healthscore.core.identity.memberships import Membership
    from healthscore.storage.codec import Item
    from healthscore.storage.people.pending_moves import PendingMove
    from healthscore.storage.writes import Write


MAX_LINKS = 10
"""Users that one anonymous id is linked to, as on a shared device; further ones are not followed."""
MEMBERSHIPS, LINKS = "m", "l"
"""The attributes that hold a person's memberships, and the users that an anonymous id turned out to be."""
TOO_MANY_WRITERS = "too many writers at once for one person"


@dataclass(frozen=True, slots=True)
class VersionCheck:
    """The versions of people's items as they were read, for a commit to be made on condition of."""

    versions: Mapping[str, str | None]
    """Version of each item by its person; None where there is none."""

    def checks(self) -> list[Write]:
        """The conditions, as parts of a transaction."""
        return [
            writes.check(schema.activity_table(), person_key(person), conditions.version_is(version))
            for person, version in self.versions.items()
        ]

    def verify(self) -> None:
        """Read whether the items are unchanged.

        Raises:
            MovedError: they are not.
            StorageUnavailableError: the table cannot be read now.
        """
        items = _items(self.versions)
        if any(_version(items.get(person)) != version for person, version in self.versions.items()):
            raise MovedError


@dataclass(frozen=True, slots=True)
class PersonAccounts:
    """A person's memberships, as they were read."""

    memberships: tuple[Membership, ...]
    """Their own and those of the users that they are known to be; sorted."""
    version_check: VersionCheck

    @property
    def accounts(self) -> frozenset[str]:
        """Every account that the person belonged to at any time."""
        return frozenset(account for _, account in self.memberships)


def read(people: Iterable[str]) -> dict[str, PersonAccounts]:
    """People's memberships, read consistently.

    Args:
        people: named as in `core.day_log.codec.Entry`.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    people = set(people)
    items = _items(people)
    further = {user for item in items.values() for user in links_of(item)} - people
    items |= _items(further)
    return {person: _person_accounts(person, items) for person in people}


def join(person: str, memberships: Collection[Membership]) -> PendingMove | None:
    """Record that a person belongs to accounts, each since an instant.

    Returns:
        The pending move of the person's earlier events, where this is their first account; the caller deletes it once
        it has moved the events.

    Raises:
        BeingErasedError: one of the accounts is being erased.
        StorageUnavailableError: not recorded, or not known to be; the same call may be made again.
    """
    tries, move = count(), pending_moves.new(person)
    first = False

    def change(item: Item | None) -> tuple[Item, list[Write]]:
        nonlocal first
        known = memberships_of(item)
        first = not known
        merged = merge_memberships(known, memberships)
        new = sorted({account for _, account in merged} - {account for _, account in known})
        if next(tries) and any(existence.erasing(account) for account in new):
            raise BeingErasedError("the account is being erased")
        copies = [_put(codec.key(schema.activity_pk(account), schema.member_key(person))) for account in new]
        along = [*copies, *existence.not_erasing(new), *([_put(move)] if first else ())]
        return {MEMBERSHIPS: codec.json_text(merged)}, along

    return move if _change(person, change) and first else None


def link(person: str, user: str) -> PendingMove | None:
    """Record that a person is known by a user's id as well, and belongs to the accounts of that user.

    Returns:
        The pending move of the person's earlier events, where the link is new.

    Raises:
        StorageUnavailableError: not recorded, or not known to be; the same call may be made again.
    """
    move = pending_moves.new(person)

    def change(item: Item | None) -> tuple[Item, list[Write]]:
        links = links_of(item)
        if user in links or len(links) >= MAX_LINKS:
            return {}, []
        alias = codec.key(schema.person_pk(user), schema.alias_key(person))
        return {LINKS: codec.json_text([*links, user])}, [_put(alias), _put(move)]

    return move if _change(person, change) else None


@retried(TOO_MANY_WRITERS)
def describe(person: str, new: Mapping[str, Any], at: int) -> None:
    """Save a person's traits.

    Args:
        person: the person.
        new: name, e-mail address and title, as far as the call has them.
        at: the time of the call, in milliseconds; traits of a later call stay.

    Raises:
        StorageUnavailableError: not saved, or not known to be.
    """
    key = codec.key(schema.person_pk(person), schema.TRAITS)
    item = reads.get(schema.activity_table(), key)
    read = codec.text_of(item, "t") if item else None
    traits = with_traits({} if read is None else traits_from_text(read), new, at)
    if traits is None:
        return
    as_read = conditions.ABSENT if read is None else conditions.unchanged("t", read)
    writes.apply(writes.put(schema.activity_table(), {**key, "t": codec.json_text(traits)}, as_read))


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
    request = reads.partition(
        schema.activity_table(), schema.person_pk(user), prefix=schema.ALIASES_PREFIX, attributes=("sk",)
    )
    items = pages(dynamodb().query, **request)
    return [codec.text_of(item, "sk").removeprefix(schema.ALIASES_PREFIX) for item in items]


@retried(TOO_MANY_WRITERS)
def _change(person: str, change: Callable[[Item | None], tuple[Item, list[Write]]]) -> bool:
    """Set attributes of a person's item, with further writes, on condition that it is unchanged.

    Returns:
        Whether there was anything to change.
    """
    item = _items([person]).get(person)
    sets, along = change(item)
    if item is not None and all(item.get(name) == value for name, value in sets.items()):
        return False
    writes.apply(put_person({**(item or person_key(person)), **sets}, _version(item)), *along)
    return True


def put_person(item: Item, read_version: str | None) -> Write:
    """The put of a person's item under a new version, on condition that the version read is still there."""
    new = {**item, "v": codec.text(secrets.token_urlsafe(8))}
    return writes.put(schema.activity_table(), new, conditions.version_is(read_version))


def _items(people: Collection[str]) -> dict[str, Item]:
    wanted = [(schema.activity_table(), person_key(person)) for person in sorted(people)]
    items = reads.batch_get(wanted, {schema.activity_table(): {"ConsistentRead": True}})
    return {schema.person_of(codec.text_of(item, "pk")): item for _, item in items}


def _person_accounts(person: str, items: Mapping[str, Item]) -> PersonAccounts:
    known = (person, *links_of(items.get(person)))
    memberships = {membership for one in known for membership in memberships_of(items.get(one))}
    versions = {one: _version(items.get(one)) for one in known}
    return PersonAccounts(tuple(sorted(memberships)), VersionCheck(versions))


def person_key(person: str) -> Item:
    """The key of a person's item."""
    return codec.key(schema.person_pk(person), schema.MEMBER)


def memberships_of(item: Item | None) -> tuple[Membership, ...]:
    """The memberships in a person's item."""
    return tuple((at, account) for at, account in codec.json_of(item or {}, MEMBERSHIPS, ()))


def links_of(item: Item | None) -> Sequence[str]:
    """The users that an anonymous id turned out to be, in its item."""
    links: list[str] = codec.json_of(item or {}, LINKS, [])
    return links


def _put(item: Item) -> Write:
    return writes.put(schema.activity_table(), item)


def _version(item: Item | None) -> str | None:
    return codec.text_of(item, "v") if item else None
