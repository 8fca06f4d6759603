"""Notes of people whose waiting events may now be moved to an account (table Activity).

A note is put with what says where a person belongs, and deleted once the events are moved: it outlives whoever dies in
between. Each has a key of its own, so that nobody deletes one that was put after the events were looked at.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from healthscore.storage import schema
from healthscore.storage.client import call, dynamodb, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

Note = dict[str, Any]
"""The key of a note, which is all of it."""


def note(person: str) -> Note:
    """A new note of a person, to be put."""
    return {"pk": {"S": schema.move_pk(person)}, "sk": {"S": schema.move_key(person, secrets.token_urlsafe(8))}}


def noted() -> Iterator[tuple[str, Note]]:
    """The people who are noted, each with a note; of one who is noted twice, twice.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for pk in schema.move_pks():
        for found in _notes(pk, ""):
            yield schema.move_person(found["sk"]["S"]), found


def notes_of(person: str) -> list[Note]:
    """All notes of a person.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return list(_notes(schema.move_pk(person), schema.move_key(person, "")))


def strike(done: Note) -> None:
    """Delete a note, since the events have been moved.

    Raises:
        StorageUnavailableError: it may still be there, which does no harm.
    """
    call(dynamodb().delete_item, TableName=schema.activity_table(), Key=done)


def _notes(pk: str, beginning: str) -> Iterator[Note]:
    request: dict[str, Any] = {
        "TableName": schema.activity_table(),
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
        "ConsistentRead": True,
    }
    if beginning:
        request["KeyConditionExpression"] += " AND begins_with(sk, :beginning)"
        request["ExpressionAttributeValues"][":beginning"] = {"S": beginning}
    return pages(dynamodb().query, **request)
