"""Committing entries to one log: one shard of a day (tables Activity and Accounts).

A commit follows `core.day_log.log`: read, work out the append, write new blocks, put the head on condition that its
version is the one read. Where an event name is seen earlier than the account knows, or the account is not known at all,
the head goes into one transaction with the account's item, so that neither is there without the other. Nearly all
commits are one plain put.

A crash before the put leaves nothing that counts; a crash after it leaves a commit. A put whose answer is lost is
recognised by the version that it wrote.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log import log as day_log
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import more_names
from healthscore.storage.accounts.first_seen import changed_first_seen, first_seen_writes, seen
from healthscore.storage.accounts.merges import merged_error
from healthscore.storage.day_logs import log_items
from healthscore.storage.day_logs.log_items import SealedCache, StoredHead, read_logs
from healthscore.storage.errors import BeingErasedError, ConditionFailedError, MergedError
from healthscore.storage.retries import attempts, retried

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.day_log.shards import WriteLoad
    from healthscore.storage.codec import Item
    from healthscore.storage.day_logs.log_items import LogKey
    from healthscore.storage.day_logs.terms import Terms

TOO_MANY_WRITERS = "too many writers at once for one log and day"
sealed_parts = SealedCache()
"""The sealed parts of logs that this process has read."""


class Committed(NamedTuple):
    """How many entries of one log and day were accepted."""

    accepted: int
    duplicates: int
    first_seen: str | None
    """The account's first-seen times after the commit."""
    unsure: frozenset[str] = frozenset()
    """People whose entries may have a wrong label: something became known of them meanwhile, or may have earlier."""


class ShardsFixedError(Exception):
    """Another writer has begun the day with another number of shards; nothing was committed."""

    def __init__(self, stored: StoredHead, first_seen: str | None) -> None:
        super().__init__()
        self.stored = stored
        self.first_seen = first_seen


class RelabelledError(Exception):
    """The events of a user have left the log, since the user is known by another id now; nothing was committed."""


class _Attempt(NamedTuple):
    """A put that failed its condition, or was made and its answer lost."""

    read_version: str | None
    version: str
    append: day_log.Append

    def made(self, stored: StoredHead) -> bool:
        """Whether it was made, and the head is still the one that it put."""
        return stored.version == self.version

    def surely_lost(self, stored: StoredHead, now: day_log.Append) -> bool:
        """Whether it never will be made, even if it is still on its way: another put has changed the head."""
        return stored.version != self.read_version and not set(self.append.fresh).isdisjoint(now.fresh)


def commit(
    key: LogKey,
    entries: Sequence[Entry],
    stored: StoredHead,
    first_seen: str | None,
    *,
    users: AbstractSet[str],
    load: WriteLoad,
    terms: Terms,
) -> Committed:
    """Add entries to one log, each exactly once.

    Args:
        key: the log.
        entries: at least one.
        stored: the log's head as it was read, or what its first put should begin with.
        first_seen: the account's first-seen times as they were read.
        users: those users of the entries whose labels are taken from the log.
        load: what the commit adds to the head's load if it meets no conflict.
        terms: what all parts of the commit have in common.

    Raises:
        ShardsFixedError: the day is not split as `stored` says.
        RelabelledError: one of the users is not in the log any more.
        StorageUnavailableError: not committed, or not known to be; the same entries may be committed again.
    """
    before: _Attempt | None = None
    for conflicts in attempts(TOO_MANY_WRITERS, terms.sleep):
        if conflicts:
            # Read only after the wait: a put costs the same whether it wins or not, and one on an old head never wins.
            stored, first_seen = _read_again(key, stored.head.shards, before)
        try:
            if before is not None and before.made(stored):
                accepted = len(before.append.fresh)
                first_seen = _make_known(key, entries, stored, first_seen, terms)
                _keep_names(key, first_seen, entries)
                return Committed(accepted, len(entries) - accepted, first_seen)
            sealed = sealed_part(key, stored)
            known = day_log.labels(sealed, stored.head)
            if not users <= known.keys():
                if before is not None:
                    discard(key, before.append.blocks)
                raise RelabelledError
            entries = [one._replace(label=known.get(one.person or "", one.label)) for one in entries]
            overhead, salt = log_items.overhead(key.pk), secrets.token_bytes(8)
            weighed = load.after(conflicts)
            append = day_log.append(key.day, sealed, stored.head, entries, overhead, salt=salt, load=weighed)
            if append is None:
                first_seen = _make_known(key, entries, stored, first_seen, terms)
                _keep_names(key, first_seen, entries)
                return Committed(0, len(entries), first_seen)
            if before is not None and before.surely_lost(stored, append):
                discard(key, before.append.blocks)
            before = this = _Attempt(stored.version, secrets.token_urlsafe(8), append)
            first_seen = _put(key, entries, stored, first_seen, this=this, terms=terms)
            break
        except ConditionFailedError:
            continue
    sealed_parts.keep(key, this.append.sealed)
    _keep_names(key, first_seen, entries)
    accepted = len(this.append.fresh)
    return Committed(accepted, len(entries) - accepted, first_seen)


def _read_again(key: LogKey, shards: int, before: _Attempt | None) -> tuple[StoredHead, str | None]:
    try:
        again = read_logs([key], [key.pk])
    except (BeingErasedError, MergedError):
        if before is not None:
            discard(key, before.append.blocks)
        raise
    stored = again.heads[key]
    if stored.version is None:
        stored = StoredHead(None, day_log.Head(shards=shards))
    elif stored.head.shards != shards:
        raise ShardsFixedError(stored, again.first_seen.get(key.pk))
    return stored, again.first_seen.get(key.pk)


def _put(
    key: LogKey, entries: Sequence[Entry], stored: StoredHead, first_seen: str | None, *, this: _Attempt, terms: Terms
) -> str | None:
    """Write the blocks and the head of an append; answers the account's first-seen times after it."""
    append, expires = this.append, log_items.kept_until(stored, terms.expires(key.day))
    log_items.keep_blocks(key, stored, expires)
    for block in append.blocks:
        log_items.put_block(key, block, expires)
    put = log_items.head_put(
        key, append.log, append.rollup, read_version=stored.version, version=this.version, expires=expires
    )
    changed = changed_first_seen(first_seen, entries, terms.milestones)
    account_id = schema.account_of(key.pk)
    along = [] if changed is None else first_seen_writes(account_id, first_seen, changed, terms.now)
    writes.apply(put, *along)
    if changed is None and stored.version is None:
        first_seen = take_back_if_gone(key, this.version, append.blocks)
        if changed_first_seen(first_seen, entries, terms.milestones) is not None:
            raise ConditionFailedError("the account was created again")
    return first_seen if changed is None else changed


def _make_known(
    key: LogKey, entries: Sequence[Entry], stored: StoredHead, first_seen: str | None, terms: Terms
) -> str | None:
    """Add entries of the log to the account's first-seen times where these lack them; answers the times after that.

    They lack them where a put went in during the account's erasure, and its writer crashed or had no answer.
    """
    changed = changed_first_seen(first_seen, entries, terms.milestones)
    if changed is None or stored.version is None:
        return first_seen
    head = writes.check(schema.activity_table(), log_items.head_key(key), conditions.version_is(stored.version))
    writes.transact(head, *first_seen_writes(schema.account_of(key.pk), first_seen, changed, terms.now))
    return changed


def _keep_names(key: LogKey, first_seen: str | None, entries: Sequence[Entry]) -> None:
    """Keep the names for which the account's item has no room. A crash before that is made good by the repetition."""
    more_names.keep(schema.account_of(key.pk), first_seen, seen(entries))


def sealed_part(key: LogKey, stored: StoredHead) -> day_log.Sealed:
    """The sealed part that a head leads to, as far as it has not expired.

    Just the blocks that this process has not seen are read.

    Raises:
        ConditionFailedError: the day was deleted meanwhile, and its blocks with it.
    """
    head = stored.head
    known = sealed_parts.get(key) if head.blocks else day_log.NOTHING_SEALED
    if known.token == head.token:
        return known
    try:
        sealed = day_log.resolve(key.day, head, known, log_items.read_blocks(key, known.blocks))
    except day_log.MissingBlockError as error:
        blocks = log_items.read_blocks(key)
        if not log_items.is_present(key, stored):
            raise ConditionFailedError("deleted") from error
        sealed = day_log.resolve(key.day, head, day_log.NOTHING_SEALED, blocks, expired=True)
    sealed_parts.keep(key, sealed)
    return sealed


def take_back_if_gone(key: LogKey, version: str, blocks: Sequence[day_log.Block] = ()) -> str | None:
    """Undo the first put of a log if its account has been erased, or given up for another one, since it was read.

    The erasure, or the merge, may have deleted that day before the put went in. A later put of a log fails its
    condition by itself.

    Returns:
        The account's present first-seen times: not those that were read, if it was erased and created again.

    Raises:
        BeingErasedError: it is undone; the entries may be sent again, and make a new account.
        MergedError: it is undone; the entries belong to the other account.
    """
    account = codec.account_key(schema.account_of(key.pk))
    item = reads.get(schema.accounts_table(), account, log_items.FIRST_SEEN)
    merged = item is not None and schema.INTO in item and schema.ERASING not in item
    if item is not None and schema.ERASING not in item and not merged:
        return codec.optional_text_of(item, "names")
    with contextlib.suppress(ConditionFailedError):
        head = log_items.head_key(key)
        writes.apply(writes.delete(schema.activity_table(), head, conditions.version_is(version)))
        discard(key, blocks)
    raise merged_error() if merged else BeingErasedError("the account was erased meanwhile")


def discard(key: LogKey, blocks: Sequence[day_log.Block]) -> None:
    """Delete the blocks of a commit that was not made: no head leads to them, and they hold people's events.

    Raises:
        StorageUnavailableError: some may be left.
    """
    for block in blocks:
        _delete_block(log_items.block_key(key, block.position, block.token))


@retried("the blocks to delete are in other transactions")
def _delete_block(key: Item) -> None:
    """Delete a block; where an erasure's transaction is at the same block, it is tried again."""
    writes.apply(writes.delete(schema.activity_table(), key))
