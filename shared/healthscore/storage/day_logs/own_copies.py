"""Copies of events that name no account, in the logs of the accounts where they count (table Activity)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.shards import NO_LOAD, load_of, split
from healthscore.storage import schema
from healthscore.storage.day_logs import commit_day, log_items
from healthscore.storage.day_logs.log_items import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.day_logs.log_items import StoredHead
    from healthscore.storage.day_logs.terms import Terms
    from healthscore.storage.day_logs.transaction import Transaction


def add_copies(transaction: Transaction, copies: Mapping[tuple[str, date], Sequence[Entry]], terms: Terms) -> None:
    """Add copies to the logs of accounts, by account and day.

    Raises:
        BeingErasedError: one of the accounts is being erased.
        StorageUnavailableError: the tables cannot be read now.
    """
    if not copies:
        return
    of_account = {(schema.activity_pk(account_id), day): entries for (account_id, day), entries in copies.items()}
    reads = commit_day.read(of_account, terms.now)
    for (pk, day), entries in of_account.items():
        heads = account_heads(LogKey(pk, day), reads.head(pk, day), reads.first_seen[pk], entries, terms)
        load = load_of(entries)
        for number, part in split(entries, heads[LogKey(pk, day)].head.shards).items():
            key = LogKey(pk, day, number)
            transaction.append(key, heads[key], part, load=load)
            load = NO_LOAD
    for account_id in {account_id for account_id, _ in copies}:
        entries = [one for (of, _), part in copies.items() if of == account_id for one in part]
        transaction.see(account_id, reads.first_seen[schema.activity_pk(account_id)], entries)


def account_heads(
    key: LogKey, stored: StoredHead, first_seen: str | None, entries: Iterable[Entry], terms: Terms
) -> dict[LogKey, StoredHead]:
    """The heads of an account's day that entries go to; a day of several shards is begun."""
    stored, _ = commit_day.begin(key, stored, first_seen, terms)
    heads = {key: stored}
    others = [key._replace(shard=number) for number in split(entries, stored.head.shards) if number != key.shard]
    if others:
        for other, head in log_items.read_logs(others, ()).heads.items():
            begun = log_items.StoredHead(None, day_log.Head(shards=stored.head.shards))
            heads[other] = head if head.version is not None else begun
    return heads
