"""Takes a user out of an account's day logs; every figure stays (table Activity).

Entries keep their time, event name, value and event id. The person and the sessions are replaced by others, made up for
that day alone and leading nowhere; the names of pages, which may contain the person's name, are dropped. Each shard is
read, written again beside the old blocks, and exchanged by one put on condition of the version that was read. Then the
old blocks are deleted, and with them those that a crashed writer has left behind: all were listed before the exchange,
so a writer that could still lead to one fails its own condition.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from uuid import uuid4

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.codec import COPY, NOT_COUNTED
from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.accounts import late
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import NO_HEAD, LogKey
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.kinds import Kind
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import StoredHead
    from healthscore.storage.erasure.eraser import UserErasure


USERS_COVERS = frozenset({Kind.DAY_HEAD, Kind.BLOCK})


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Replace the user, under every id, in all of the account's logs, shard by shard."""
    shards = _shards(schema.activity_pk(erasure.account_id))
    if shards:
        late.mark(erasure.account_id, late.read(erasure.account_id), shards[0].day, erasure.now)
    for key in shards:
        _replace_in_shard(key, erasure.known_as, log_items.expiry(key.day, erasure.retention_days))
        yield 1


def _shards(pk: str) -> list[LogKey]:
    """The shards that have a head or blocks, those included that no head leads to."""
    items = pages(dynamodb().query, **reads.partition(schema.activity_table(), pk, attributes=("sk",)))
    prefixes = (schema.DAYS_PREFIX, schema.BLOCKS_PREFIX)
    found = {schema.parse_day_key(sk) for item in items if (sk := codec.text_of(item, "sk")).startswith(prefixes)}
    return [LogKey(pk, day, shard) for day, shard in sorted(found)]


def _replace_in_shard(key: LogKey, people: Collection[str], expires: int) -> None:
    for _ in attempts("too many writers at once for one log"):
        blocks = log_items.read_blocks(key)
        listed = _block_keys(key)
        stored = log_items.read_heads(key.pk, key.day).get(key.shard, NO_HEAD)
        try:
            sealed = log_items.walk(key, stored, blocks)
        except day_log.MissingBlockError:
            continue  # one was sealed between the two reads
        entries = [*stored.head.tail, *(entry for _, _, of_block in sealed for entry in of_block)]
        led_to = {schema.block_key(key.day, key.shard, position, token) for position, token, _ in sealed}
        if led_to.issuperset(listed) and not any(_is_of(entry, people) for entry in entries):
            return
        try:
            _exchange(key, stored, _without(entries, people), expires)
        except ConditionFailedError:
            continue
        writes.delete_all(schema.activity_table(), [codec.key(key.pk, sk) for sk in listed])
        return


def _block_keys(key: LogKey) -> list[str]:
    prefix = schema.blocks_prefix(key.day, key.shard)
    request = reads.partition(schema.activity_table(), key.pk, prefix=prefix, attributes=("sk",))
    return [codec.text_of(item, "sk") for item in pages(dynamodb().query, **request)]


def _exchange(key: LogKey, stored: StoredHead, entries: list[Entry], expires: int) -> None:
    expires = log_items.kept_until(stored, expires)
    head = day_log.Head(shards=stored.head.shards, load=stored.head.load)
    overhead, salt = log_items.overhead(key.pk), secrets.token_bytes(8)
    append = day_log.append(key.day, day_log.NOTHING_SEALED, head, entries, overhead, salt=salt)
    log, rollup = day_log.encode_head(key.day, head), None
    if append is not None:
        log, rollup = append.log, append.rollup
        for block in append.blocks:
            log_items.put_block(key, block, expires)
    put = log_items.head_put(
        key, log, rollup, read_version=stored.version, version=secrets.token_urlsafe(8), expires=expires
    )
    writes.apply(put)


def _without(entries: Iterable[Entry], people: Collection[str]) -> list[Entry]:
    """The entries with each of the people replaced by a stranger, and each of their sessions by a stranger's.

    Whoever counts as one person is one stranger. The entries are the account's own from now on, and copies no more.
    """
    strangers: dict[str | None, str] = {}
    sessions: dict[tuple[str, int], int] = {}
    replaced = []
    for entry in entries:
        if _is_of(entry, people):
            stranger = strangers.setdefault(entry.who, f"a{uuid4()}")
            session = entry.session
            if session:
                session = sessions.setdefault((stranger, session), secrets.randbits(64) or 1)
            label = f"{NOT_COUNTED}{stranger}" if (entry.label or "").startswith(NOT_COUNTED) else None
            flags = entry.flags & ~COPY
            entry = entry._replace(person=stranger, session=session, page="", label=label, flags=flags)  # noqa: PLW2901
        replaced.append(entry)
    return replaced


def _is_of(entry: Entry, people: Collection[str]) -> bool:
    return entry.person in people or entry.who in people
