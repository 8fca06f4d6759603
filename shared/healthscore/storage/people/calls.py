"""The calls that say who is who, one item each, in the partition of the id that they are about (table Activity).

Most of them change nothing: clients name a user's account again and again. They are kept for as long as days are, since
a call for an earlier time that comes in late may make them matter. Putting one again changes nothing, so they are
written first, and may be written again.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthscore.core.identity.relations import Relations
    from healthscore.core.identity.timeline import Point
    from healthscore.storage.codec import Item

MOST_READ = 20_000
"""Calls of one id that are looked through for those that may matter now, at most: the newest. So an id that is named
all day long stays within the deadline. What earlier calls have changed is in the records."""


def keep(relations: Relations, expires: int) -> None:
    """Keep the calls, and name the ids in the partitions of the accounts that they are said to belong to.

    Args:
        relations: what the calls say.
        expires: when they expire, in seconds since the Unix epoch.

    Raises:
        StorageUnavailableError: some are not kept, or not known to be.
    """
    ttl = codec.number(expires)
    items = [
        {**codec.key(schema.person_pk(id_), schema.call_key(prefix, *point)), "ttl": ttl}
        for prefix, by_id in ((schema.IDENTIFIED, relations.identified), (schema.GROUPED, relations.grouped))
        for id_, points in by_id.items()
        for point in points
    ]
    members = {(account_id, id_) for id_, points in relations.grouped.items() for _, account_id in points}
    items += [member(account_id, id_) for account_id, id_ in members]
    writes.put_all(schema.activity_table(), items)


def member(account_id: str, id_: str) -> Item:
    """The item by which an account's partition names an id that it knows, for erasures to find it."""
    return codec.key(schema.activity_pk(account_id), schema.member_key(id_))


def members(account_id: str) -> Iterator[str]:
    """The ids that an account knows: those that belong to it by a call of their own, and those whose events name it.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    pk, prefix = schema.activity_pk(account_id), schema.MEMBERS_PREFIX
    request = reads.partition(schema.activity_table(), pk, prefix=prefix, attributes=("sk",))
    for item in pages(dynamodb().query, **request):
        yield codec.text_of(item, "sk").removeprefix(prefix)


def identified(devices: Iterable[str]) -> dict[str, list[Point]]:
    """The users who were identified on devices, with the times, as far as they are kept: the `MOST_READ` newest.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return _kept(devices, schema.IDENTIFIED)


def grouped(ids: Iterable[str]) -> dict[str, list[Point]]:
    """The accounts that ids were said to belong to, with the times, as far as they are kept. Raises as `identified`."""
    return _kept(ids, schema.GROUPED)


def _kept(ids: Iterable[str], prefix: str) -> dict[str, list[Point]]:
    ids = list(ids)

    def of(id_: str) -> list[Point]:
        request = reads.partition(schema.activity_table(), schema.person_pk(id_), prefix=prefix, attributes=("sk",))
        newest = islice(pages(dynamodb().query, **request, ScanIndexForward=False), MOST_READ)
        return [schema.parse_call_key(codec.text_of(item, "sk")) for item in newest]

    return dict(zip(ids, side_by_side(of, ids), strict=True))
