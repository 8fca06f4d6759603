"""People, and their events, as the version before stored them."""

from __future__ import annotations

import struct
from collections import defaultdict
from typing import TYPE_CHECKING

from healthscore.core.day_log import codec as log_codec
from healthscore.core.day_log import log as day_log
from healthscore.storage import codec, schema, writes
from healthscore.storage.accounts.first_seen import changed_first_seen, first_seen_writes
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import LogKey
from tests.support.events import DAY, MIDNIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry

OLD_PACK = 1
_HEAD = struct.calcsize("<BBIII8s")
_BLOCK = struct.calcsize("<B8s")


def put_account_log(account_id: str, entries: Sequence[Entry], day: date = DAY) -> None:
    """An account with the log of a day."""
    names = changed_first_seen(None, entries, ()) or "{}"
    writes.apply(*first_seen_writes(account_id, None, names, MIDNIGHT))
    put_log(schema.activity_pk(account_id), entries, day)


def put_log(pk: str, entries: Iterable[Entry], day: date = DAY) -> None:
    """The log of a day, of an account or of a person without an account."""
    key = LogKey(pk, day)
    made = day_log.append(
        day, day_log.NOTHING_SEALED, day_log.EMPTY_HEAD, entries, log_items.overhead(pk), salt=b"12345678"
    )
    assert made is not None
    for block in made.blocks:
        log_items.put_block(key, block._replace(data=_old(block.data, _BLOCK)), log_items.expiry(day, 400))
    head = log_items.head_put(
        key, _old(made.log, _HEAD), made.rollup, read_version=None, version="old", expires=log_items.expiry(day, 400)
    )
    writes.apply(head)


def _old(data: bytes, pack_at: int) -> bytes:
    """Without labels and flags, the two formats of a pack differ in their first byte alone."""
    if len(data) == pack_at:
        return data
    assert data[pack_at] == log_codec._FORMAT
    return data[:pack_at] + bytes([OLD_PACK]) + data[pack_at + 1 :]


def put_members(
    memberships: Mapping[str, Sequence[tuple[int, str]]], links: Mapping[str, Sequence[str]], moves: Sequence[str] = ()
) -> None:
    """People with their accounts, the users that ids turned out to be, and pending moves."""
    attributes: dict[str, dict[str, str]] = defaultdict(dict)
    for person, points in memberships.items():
        attributes[person]["m"] = codec.dumps(points)
        for _, account_id in points:
            _put(schema.activity_pk(account_id), f"P#{person}")
    for person, users in links.items():
        attributes[person]["l"] = codec.dumps(users)
        for user in users:
            _put(schema.person_pk(user), f"L#{person}")
    for person, said in attributes.items():
        _put(schema.person_pk(person), "member", v="old", **said)
    for person in moves:
        _put(schema.unsettled_pk(person), f"{person}\x1ftoken")


def _put(pk: str, sk: str, **attributes: str) -> None:
    item = {**codec.key(pk, sk), **{name: codec.text(value) for name, value in attributes.items()}}
    dynamodb().put_item(TableName=schema.activity_table(), Item=item)
