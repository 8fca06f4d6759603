"""Moving the logs of an id that was given up to those of its account, after a merge (tables Activity and Accounts).

What was given up takes no writes any more: its item says so, and a log that a late writer begins is undone
(`commit_shard.take_back_if_gone`). So each of its days is moved once, in one transaction: its heads are deleted, and
its entries are added to the account's day, which drops those that it has. Until then, whoever writes events to a day of
the account, or takes copies out of it, moves that day first: what the id had is found in the account's own log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.log import MissingBlockError
from healthscore.core.day_log.shards import split
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import commit_day, log_items, own_copies, rewrite
from healthscore.storage.day_logs.log_items import LogKey, StoredHead
from healthscore.storage.day_logs.transaction import Transaction
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from datetime import date

    from healthscore.storage.day_logs.terms import Terms

TOO_MANY_WRITERS = "too many writers at once for a day that is to be moved to another account"


def move_to(account_id: str, terms: Terms) -> None:
    """Move all that is left in the logs of the ids that were given up for an account; raises as `move_day` does."""
    for old in terms.merges.moving_to(account_id):
        move(old, terms)


def move(old: str, terms: Terms) -> None:
    """Move all that is left in the logs of an id that was given up; raises as `move_day` does."""
    pk = schema.activity_pk(old)
    request = reads.partition(schema.activity_table(), pk, prefix=schema.DAYS_PREFIX, attributes=("sk",))
    heads = [schema.parse_day_key(codec.text_of(item, "sk")) for item in pages(dynamodb().query, **request)]
    for day in sorted({day for day, _ in heads}):
        move_day(old, day, terms)


def move_day_to(account_id: str, day: date, terms: Terms) -> None:
    """Move a day of the ids that were given up for an account; raises as `move_day` does."""
    for old in terms.merges.moving_to(account_id):
        move_day(old, day, terms)


def move_day(old: str, day: date, terms: Terms) -> None:
    """Move what is left in one day of an id that was given up.

    Args:
        old: the id.
        day: the day.
        terms: as for commits; their merges know of this one.

    Raises:
        MergedError: the account was merged into another one meanwhile.
        StorageUnavailableError: it may not be moved; the same call goes on.
    """
    for _ in attempts(TOO_MANY_WRITERS, terms.sleep):
        if terms.time_left() <= 0:
            raise StorageUnavailableError("out of time")
        try:
            log = rewrite.read(schema.activity_pk(old), day)
            if log is None:
                return
            _transaction(log, terms.merges.canonical(old), day, terms).make()
        except (ConditionFailedError, MissingBlockError):
            continue
        log.delete_blocks([*log.heads])
        return


def _transaction(log: rewrite.ReadDay, account_id: str, day: date, terms: Terms) -> Transaction:
    transaction = Transaction(terms)
    for key, stored in log.heads.items():
        if stored.version is not None:
            head, unchanged = log_items.head_key(key), conditions.version_is(stored.version)
            transaction.along.append(writes.delete(schema.activity_table(), head, unchanged))
    entries, key = log.all_entries, LogKey(schema.activity_pk(account_id), day)
    found = commit_day.read([(key.pk, day)], terms.now)
    stored, first_seen = found.head(key.pk, day), found.first_seen[key.pk]
    if stored.version is None:
        shards = max(len(log.heads), stored.head.shards)
        stored = StoredHead(None, day_log.Head(shards=shards))
    if entries:
        heads = own_copies.account_heads(key, stored, first_seen, entries, terms)
        for number, part in split(entries, heads[key].head.shards).items():
            transaction.append(key._replace(shard=number), heads[key._replace(shard=number)], part)
        transaction.see(account_id, first_seen, entries)
    return transaction
