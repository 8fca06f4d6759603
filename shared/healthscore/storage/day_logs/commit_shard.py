"""Committing entries to one log: one shard of a day (tables Activity and Accounts).

Committing follows `core.day_log.log`: read, work out the append, write new blocks, put the head on condition
that its version is still the one read. Where an event name is seen earlier than the account knows, or the account is
not known at all, the head goes into one transaction with the account's item, so that neither is there without the
other; every other commit, that is nearly all of them, is one plain put.

A process that dies before the put has changed nothing that counts; one that dies behind it has committed. A put whose
answer is lost is recognised by the version it wrote.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from healthscore.core.day_log import log as day_log
from healthscore.storage import schema
from healthscore.storage.accounts.first_seen import changed_first_seen, first_seen_writes
from healthscore.storage.client import call, dynamodb
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import NO_HEAD, SealedCache, StoredHead, read_logs
from healthscore.storage.errors import BeingErasedError, ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.day_log.shards import WriteLoad
    from healthscore.storage.day_logs.log_items import LogKey

TOO_MANY_WRITERS = "too many writers at once for one log and day"
sealed_parts = SealedCache()
"""What this process has read of sealed logs."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of the entries of one log and day."""

    accepted: int
    duplicates: int
    first_seen: str | None
    """The account's first-seen times as they now stand; None for a person's log."""


class VersionCheck(Protocol):
    """Items elsewhere in the tables, as they were read."""

    def checks(self) -> list[dict[str, Any]]:
        """Conditions, as parts of a transaction, that hold while the items are as they were read."""

    def verify(self) -> None:
        """Raise `MovedError` where the items are not as they were read."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all parts of a commit."""

    milestones: Collection[str]
    expires: int
    now: datetime
    version_check: VersionCheck | None
    sleep: Callable[[float], None]


class ShardsFixedError(Exception):
    """Another writer came first and decided otherwise how many shards the day has; nothing was committed."""

    def __init__(self, stored: StoredHead, first_seen: str | None) -> None:
        super().__init__()
        self.stored = stored
        self.first_seen = first_seen


class _Try(NamedTuple):
    """A put that failed its condition, or was made and its answer lost."""

    read_version: str | None
    version: str
    append: day_log.Append

    def made(self, stored: StoredHead) -> bool:
        """Whether it was made, and the head is still what it put."""
        return stored.version == self.version

    def surely_lost(self, stored: StoredHead, now: day_log.Append) -> bool:
        """Whether it was not made and never will be, though it may still be on its way: others have put the head."""
        return stored.version != self.read_version and not set(self.append.fresh).isdisjoint(now.fresh)


def commit(
    key: LogKey, entries: Sequence[Entry], stored: StoredHead, first_seen: str | None, *, load: WriteLoad, terms: Terms
) -> Committed:
    """Add entries to one log, each exactly once.

    Args:
        key: the log.
        entries: at least one.
        stored: the log's head as read beforehand, or what it should begin as.
        first_seen: the account's first-seen times as read beforehand.
        load: what the commit adds to the head's load if it loses no race.
        terms: what else there is to know.

    Raises:
        ShardsFixedError: the day is not split as `stored` says.
        MovedError: the version_check does not stand any more, and nothing was committed.
        StorageUnavailableError: not committed, or not known to be; the same entries may be committed again.
    """
    lost: _Try | None = None
    races = 0
    patience = Backoff(TOO_MANY_WRITERS, terms.sleep)
    while True:
        try:
            if lost is not None and lost.made(stored):
                accepted = len(lost.append.fresh)
                return Committed(
                    accepted, len(entries) - accepted, _make_known(key, entries, stored, first_seen, terms)
                )
            sealed = _sealed(key, stored)
            overhead, salt = log_items.overhead(key.pk), secrets.token_bytes(8)
            append = day_log.append(key.day, sealed, stored.head, entries, overhead, salt=salt, load=load.after(races))
            if append is None:
                return Committed(0, len(entries), _make_known(key, entries, stored, first_seen, terms))
            if lost is not None and lost.surely_lost(stored, append):
                _discard(key, lost.append.blocks)
            lost = _Try(stored.version, secrets.token_urlsafe(8), append)
            first_seen = _put(key, entries, stored, first_seen, this=lost, terms=terms)
        except ConditionFailedError:
            races += 1
            # Read only after the wait: a put costs the same whether it wins or not, and one on an old head never wins.
            patience.wait()
            stored, first_seen = _look_again(key, stored.head.shards, lost)
            if terms.version_check is not None and not (lost is not None and lost.made(stored)):
                terms.version_check.verify()
            continue
        sealed_parts.keep(key, append.sealed)
        return Committed(len(append.fresh), len(entries) - len(append.fresh), first_seen)


def _look_again(key: LogKey, shards: int, lost: _Try | None) -> tuple[StoredHead, str | None]:
    try:
        again = read_logs([key], [key.pk])
    except BeingErasedError:
        if lost is not None:
            _discard(key, lost.append.blocks)
        raise
    stored = again.heads[key]
    if stored.version is None:
        stored = StoredHead(None, day_log.Head(shards=shards))
    elif stored.head.shards != shards:
        raise ShardsFixedError(stored, again.first_seen.get(key.pk))
    return stored, again.first_seen.get(key.pk)


def _put(
    key: LogKey, entries: Sequence[Entry], stored: StoredHead, first_seen: str | None, *, this: _Try, terms: Terms
) -> str | None:
    """Write what an append says; answers the account's first-seen times as they stand then."""
    append = this.append
    for block in append.blocks:
        log_items.put_block(key, block, terms.expires)
    put = log_items.head_put(
        key, append.log, append.rollup, read_version=stored.version, version=this.version, expires=terms.expires
    )
    account_id = schema.account_of(key.pk)
    changed = None if account_id is None else changed_first_seen(first_seen, entries, terms.milestones)
    with_it: list[Any] = [] if terms.version_check is None else terms.version_check.checks()
    if account_id is not None and changed is not None:
        with_it += first_seen_writes(account_id, first_seen, changed, terms.now)
    if with_it:
        call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, *with_it])
    else:
        call(dynamodb().put_item, **put)
    if account_id is not None and changed is None and stored.version is None:
        first_seen = take_back_if_gone(account_id, key, this.version, append.blocks)
        if changed_first_seen(first_seen, entries, terms.milestones) is not None:
            raise ConditionFailedError("the account has begun anew")
    return first_seen if changed is None else changed


def _make_known(
    key: LogKey, entries: Sequence[Entry], stored: StoredHead, first_seen: str | None, terms: Terms
) -> str | None:
    """Enter entries of the log in the account's first-seen times where these lack them; answers how they stand then.

    They do where a put went in beside the account's erasure, and its writer died or was not answered.
    """
    account_id = schema.account_of(key.pk)
    changed = None if account_id is None else changed_first_seen(first_seen, entries, terms.milestones)
    if account_id is None or changed is None or stored.version is None:
        return first_seen
    head = {
        "TableName": schema.activity_table(),
        "Key": {"pk": {"S": key.pk}, "sk": {"S": schema.day_key(key.day, key.shard)}},
        "ConditionExpression": "v = :read",
        "ExpressionAttributeValues": {":read": {"S": stored.version}},
    }
    writes = first_seen_writes(account_id, first_seen, changed, terms.now)
    call(dynamodb().transact_write_items, TransactItems=[{"ConditionCheck": head}, *writes])
    return changed


def _sealed(key: LogKey, stored: StoredHead) -> day_log.Sealed:
    """The sealed part that a head leads to, reading just the blocks that this process has not seen.

    Raises:
        ConditionFailedError: the day was deleted meanwhile, and its blocks with it.
    """
    head = stored.head
    known = sealed_parts.get(key) if head.blocks else day_log.NOTHING_SEALED
    if known.token == head.token:
        return known
    for known_part in (known, day_log.NOTHING_SEALED):
        try:
            sealed = day_log.resolve(key.day, head, known_part, log_items.read_blocks(key, known_part.blocks))
        except day_log.MissingBlockError as error:
            if known_part is not day_log.NOTHING_SEALED:
                continue
            if log_items.read_heads(key.pk, key.day).get(key.shard, NO_HEAD).version != stored.version:
                raise ConditionFailedError("deleted") from error
            raise
        sealed_parts.keep(key, sealed)
        return sealed
    raise AssertionError("the loop above returns or raises")


def take_back_if_gone(account_id: str, key: LogKey, version: str, blocks: Sequence[day_log.Block] = ()) -> str | None:
    """Undo the first put of a log if its account has been erased since it was read.

    The erasure may have been past that day before the put went in. A later put of a log fails its condition by itself.

    Returns:
        The account's first-seen times as they stand: others than were read, where it was erased and has begun anew.

    Raises:
        BeingErasedError: it is undone; the entries may be sent again, and make a new account.
    """
    item = call(
        dynamodb().get_item,
        TableName=schema.accounts_table(),
        Key={"account_id": {"S": account_id}},
        ProjectionExpression=f"account_id, #names, {schema.ERASING}",
        ExpressionAttributeNames={"#names": "names"},
        ConsistentRead=True,
    ).get("Item")
    if item is not None and schema.ERASING not in item:
        return item["names"]["S"] if "names" in item else None
    with contextlib.suppress(ConditionFailedError):
        call(
            dynamodb().delete_item,
            TableName=schema.activity_table(),
            Key={"pk": {"S": key.pk}, "sk": {"S": schema.day_key(key.day, key.shard)}},
            ConditionExpression="v = :version",
            ExpressionAttributeValues={":version": {"S": version}},
        )
        _discard(key, blocks)
    raise BeingErasedError("the account was erased meanwhile")


def _discard(key: LogKey, blocks: Sequence[day_log.Block]) -> None:
    """Delete the blocks of a commit that was not made: nothing leads to them, and they hold what people did.

    Raises:
        StorageUnavailableError: some may be left.
    """
    for block in blocks:
        sk = schema.block_key(key.day, key.shard, block.position, block.token)
        patience = Backoff("others are at the blocks that are to be deleted")
        while True:
            try:
                call(
                    dynamodb().delete_item,
                    TableName=schema.activity_table(),
                    Key={"pk": {"S": key.pk}, "sk": {"S": sk}},
                )
                break
            except ConditionFailedError:
                patience.wait()  # an erasure's transaction has the same block in hand
