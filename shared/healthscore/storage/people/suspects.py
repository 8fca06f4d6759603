"""Ids that look wrong: shared ones, and those that come close (table Activity, one item an id)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, cast

from healthscore.core.time import from_millis
from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.client import dynamodb, pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from healthscore.core.identity.draft import Suspicion


@dataclass(frozen=True, slots=True)
class Suspect:
    """An id that looks wrong."""

    id: str
    """As in `core.day_log.codec.Entry.person`."""
    reason: Suspicion
    count: int
    """Users of one day, or ids of one person, when it was noted last."""
    noted_at: datetime


def note(suspects: Mapping[str, tuple[Suspicion, int]], at: int) -> None:
    """Note ids that look wrong.

    Args:
        suspects: why, and the count that makes it so, by id.
        at: now, in milliseconds.

    Raises:
        StorageUnavailableError: some are not noted.
    """
    items = [
        {**_key(id_), "w": codec.text(reason), "n": codec.number(count), "t": codec.number(at)}
        for id_, (reason, count) in suspects.items()
    ]
    writes.put_all(schema.activity_table(), items)


def forget(ids: Iterable[str]) -> None:
    """Delete what is noted of ids. Raises as `note` does."""
    writes.delete_all(schema.activity_table(), [_key(id_) for id_ in ids])


def first(limit: int) -> list[Suspect]:
    """The suspects, in the order of their ids, `limit` at most.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(dynamodb().query, **reads.partition(schema.activity_table(), schema.SUSPECTS_PK, consistent=False))
    return [
        Suspect(
            codec.text_of(item, "sk"),
            cast("Suspicion", codec.text_of(item, "w")),
            codec.number_of(item, "n"),
            from_millis(codec.number_of(item, "t")),
        )
        for item in islice(items, limit)
    ]


def _key(id_: str) -> dict[str, codec.Attribute]:
    return codec.key(schema.SUSPECTS_PK, id_)
