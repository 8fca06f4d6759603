"""Notes that the records of ids name ids which are not settled, for the night to find (table Activity)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.client import dynamodb, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write


def put(id_: str) -> Write:
    """The put of a note, to be made together with the put of the record."""
    return writes.put(schema.activity_table(), _key(id_))


def delete(id_: str) -> Write:
    """The deletion of a note, to be made together with the put of the record that names no id any more."""
    return writes.delete(schema.activity_table(), _key(id_))


def all_ids() -> Iterator[str]:
    """The ids whose records name ids to settle.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for pk in schema.unsettled_pks():
        for item in pages(dynamodb().query, **reads.partition(schema.activity_table(), pk)):
            yield codec.text_of(item, "sk")


def _key(id_: str) -> Item:
    return codec.key(schema.unsettled_pk(id_), id_)
