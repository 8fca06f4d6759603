"""Takes people out of an account, and deletes those who belong to no other (table Activity)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.kinds import Kind
from healthscore.storage.people import pending_moves
from healthscore.storage.people.people import (
    LINKS,
    MEMBERSHIPS,
    TOO_MANY_WRITERS,
    links_of,
    memberships_of,
    person_key,
    put_person,
)
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthscore.storage.codec import Item
    from healthscore.storage.erasure.eraser import AccountErasure, UserErasure

COVERS = USERS_COVERS = frozenset(
    {
        Kind.MEMBER,
        Kind.MEMBERSHIPS,
        Kind.ALIAS,
        Kind.TRAITS,
        Kind.PENDING_MOVE,
        Kind.PERSON_DAY_HEAD,
        Kind.PERSON_BLOCK,
    }
)


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Have everybody leave who is known to belong to the account, one after the other."""
    pk = schema.activity_pk(erasure.account_id)
    request = reads.partition(schema.activity_table(), pk, prefix=schema.MEMBERS_PREFIX, attributes=("pk", "sk"))
    for item in pages(dynamodb().query, **request):
        leave(codec.text_of(item, "sk").removeprefix(schema.MEMBERS_PREFIX), erasure.account_id)
        yield 1


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Have the user leave under every id, one after the other; the user's own id last, since it leads to the others."""
    user, *others = erasure.known_as
    for person in others:
        leave(person, erasure.account_id)
        yield 1
    leave(user, erasure.account_id, for_good=True)
    yield 1


def leave(person: str, account_id: str, *, for_good: bool = False) -> None:
    """Remove a person's membership of an account; a person who belongs to no other account is deleted.

    A person who is known as a user as well, as a visitor is who signed in, is kept for that user's sake, and deleted
    with the user. The account's copy of the membership goes last, so that the next call finds the person by it.

    Args:
        person: the person, as in `core.day_log.codec.Entry`.
        account_id: the account.
        for_good: whether a person who is known as a user as well is deleted all the same.

    Raises:
        StorageUnavailableError: something is left.
    """
    _remove_membership(person, account_id, for_good=for_good)
    member = codec.key(schema.activity_pk(account_id), schema.member_key(person))
    writes.delete_all(schema.activity_table(), [member])


@retried(TOO_MANY_WRITERS)
def _remove_membership(person: str, account_id: str, *, for_good: bool) -> None:
    item = _person(person)
    memberships, links = memberships_of(item), links_of(item)
    kept = [membership for membership in memberships if membership[1] != account_id]
    if not kept and (for_good or not links):
        aliases = [codec.key(schema.person_pk(user), schema.alias_key(person)) for user in links]
        writes.delete_all(schema.activity_table(), aliases)
        _delete_person(person, item)
    elif len(kept) != len(memberships):
        _save(item, MEMBERSHIPS, kept)


def _delete_person(person: str, item: Item | None) -> None:
    """Delete everything under a person's id: traits, other ids, and the log of events of no known account.

    Other ids that lead nowhere else are deleted before the items that lead to them.

    Raises:
        ConditionFailedError: the person has changed since it was read; nothing of it is deleted but its other ids.
    """
    writes.delete_all(schema.activity_table(), pending_moves.of_person(person))
    for other in _partition(person):
        if codec.text_of(other, "sk").startswith(schema.ALIASES_PREFIX):
            _unlink(codec.text_of(other, "sk").removeprefix(schema.ALIASES_PREFIX), person)
    if item:
        unchanged = conditions.version_is(codec.text_of(item, "v"))
        writes.apply(writes.delete(schema.activity_table(), person_key(person), unchanged))
    writes.delete_all(schema.activity_table(), _partition(person))


@retried(TOO_MANY_WRITERS)
def _unlink(other: str, user: str) -> None:
    """Remove the link from another id to a user; delete the id where it leads nowhere else."""
    item = _person(other)
    links = links_of(item)
    kept = [linked for linked in links if linked != user]
    if not kept and not memberships_of(item):
        _delete_person(other, item)
    elif len(kept) != len(links):
        _save(item, LINKS, kept)


def _partition(person: str) -> list[Item]:
    request = reads.partition(schema.activity_table(), schema.person_pk(person), attributes=("pk", "sk"))
    return list(pages(dynamodb().query, **request))


def _person(person: str) -> Item | None:
    return reads.get(schema.activity_table(), person_key(person))


def _save(item: Item | None, name: str, value: Sequence[Any]) -> None:
    """Set a list of a person's item, which has one, on condition that the item is unchanged."""
    there = item or {}
    writes.apply(put_person({**there, name: codec.json_text(value)}, codec.text_of(there, "v")))
