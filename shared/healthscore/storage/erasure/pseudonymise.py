"""Taking a person out of an account's day logs while every figure stays.

Entries keep their time, event name, value and event id; the person and the sessions are replaced by others that are
made up for that day alone and lead nowhere, and the names of pages, which may say whose they were, are dropped. Each
shard is read, written anew beside what is there, and exchanged by one put on condition of the version that was read;
then the old blocks are deleted, and with them those that a writer has left behind: all were listed before the
exchange, so a writer that could still lead to one fails its own condition.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from healthscore.core.day_log import log as day_log
from healthscore.storage import schema
from healthscore.storage.batches import batch_delete
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import NO_HEAD, LogKey
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import StoredHead


def scrub(account_id: str, people: Collection[str], retention_days: int, keep_going: Callable[[], bool]) -> bool:
    """Replace people in all of an account's logs.

    Args:
        account_id: the account.
        people: named as in `core.day_log.codec.Entry`.
        retention_days: how long days are kept.
        keep_going: asked before each shard; False leaves the rest to the next call.

    Returns:
        Whether nothing is left of them.

    Raises:
        StorageUnavailableError: something may be left.
    """
    for key in _shards(schema.activity_pk(account_id)):
        if not keep_going():
            return False
        _scrub_shard(key, people, log_items.expiry(key.day, retention_days))
    return True


def _shards(pk: str) -> list[LogKey]:
    """The shards that have a head or blocks, those included that no head leads to."""
    items = pages(
        dynamodb().query,
        TableName=schema.activity_table(),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ProjectionExpression="sk",
        ConsistentRead=True,
    )
    heads, rest = schema.DAYS_PREFIX, "S#"
    found = {"#".join(sk.split("#")[1:3]) for item in items if (sk := item["sk"]["S"]).startswith((heads, rest))}
    return [LogKey(pk, *schema.parse_day_key(heads + shard)) for shard in sorted(found)]


def _scrub_shard(key: LogKey, people: Collection[str], expires: int) -> None:
    patience = Backoff("too many writers at once for one log")
    while True:
        blocks = log_items.read_blocks(key)
        listed = [item["sk"]["S"] for item in _blocks(key)]
        stored = log_items.read_heads(key.pk, key.day).get(key.shard, NO_HEAD)
        try:
            way = list(day_log.walk_blocks(key.day, stored.head, blocks))
        except day_log.MissingBlockError:
            patience.wait()  # somebody sealed one between the two reads
            continue
        entries = [*stored.head.tail, *(entry for _, _, part in way for entry in part)]
        led_to = {schema.block_key(key.day, key.shard, position, token) for position, token, _ in way}
        if led_to.issuperset(listed) and not any(entry.person in people for entry in entries):
            return
        try:
            _exchange(key, stored, _without(entries, people), expires)
        except ConditionFailedError:
            patience.wait()
            continue
        batch_delete(schema.activity_table(), [{"pk": {"S": key.pk}, "sk": {"S": sk}} for sk in listed])
        return


def _blocks(key: LogKey) -> Iterable[dict[str, Any]]:
    prefix = schema.blocks_prefix(key.day, key.shard)
    return pages(
        dynamodb().query,
        TableName=schema.activity_table(),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": key.pk}, ":prefix": {"S": prefix}},
        ProjectionExpression="sk",
        ConsistentRead=True,
    )


def _exchange(key: LogKey, stored: StoredHead, entries: list[Entry], expires: int) -> None:
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
    call(dynamodb().put_item, **put)


def _without(entries: Iterable[Entry], people: Collection[str]) -> list[Entry]:
    """The entries with people replaced, each by one stranger, and each of their sessions by one of the stranger's."""
    strangers = {person: f"a{uuid4()}" for person in people}
    sessions: dict[tuple[str, int], int] = {}
    replaced = []
    for entry in entries:
        if entry.person in strangers:
            session = entry.session
            if session:
                session = sessions.setdefault((entry.person, session), secrets.randbits(64) or 1)
            replaced.append(entry._replace(person=strangers[entry.person], session=session, page=""))
        else:
            replaced.append(entry)
    return replaced
