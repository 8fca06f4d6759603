"""Pending moves: people whose events wait in logs of their own although their account is known (table Activity).

A pending move is put in one transaction with the membership, and deleted once the events are moved, so it survives a
crash in between. Each has a key of its own: deleting one never deletes another that was put after the events were read.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.codec import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

PendingMove = Item
"""The key of a pending move, which is all of it."""


def new(person: str) -> PendingMove:
    """A new pending move of a person, to be put."""
    return codec.key(schema.move_pk(person), schema.move_key(person, secrets.token_urlsafe(8)))


def all_moves() -> Iterator[tuple[str, PendingMove]]:
    """Every pending move with its person, who may have several.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for pk in schema.move_pks():
        for move in _moves(pk, ""):
            yield schema.move_person(codec.text_of(move, "sk")), move


def of_person(person: str) -> list[PendingMove]:
    """All pending moves of a person.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return list(_moves(schema.move_pk(person), schema.move_key(person, "")))


def delete(move: PendingMove) -> None:
    """Delete a pending move, since the events have been moved.

    Raises:
        StorageUnavailableError: it may still be there, which does no harm.
    """
    writes.apply(writes.delete(schema.activity_table(), move))


def _moves(pk: str, prefix: str) -> Iterator[PendingMove]:
    return pages(dynamodb().query, **reads.partition(schema.activity_table(), pk, prefix=prefix))
