"""Event names for which an account's item has no room, one item a name (table Activity).

A client that puts ids into its event names fills the room for names in the account's item. Any name may become a
milestone later, and its first time must be found then. So names beyond have items of their own, which nothing reads but
the score of an account that has such names, for the milestones alone.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

from healthscore.core.day_log.first_seen import MILESTONES_BYTES, NAMES_BYTES, beyond, fitting
from healthscore.core.time import millis
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import changes, existence
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from healthscore.core.account import Account

_AT = "at"
_AT_ONCE = 90
"""Names of one transaction: DynamoDB takes a hundred actions."""
_LONGEST = 830
"""Bytes of a name of 200 characters with its time."""
_MARK = '"":'
"""What the text of first-seen times contains where an account has such names; seldom, where it has none."""


def keep(account_id: str, first_seen: str | None, seen: Iterable[tuple[str, int]]) -> None:
    """Keep the first times of those names that the account's item does not have.

    Args:
        account_id: the account; nothing is kept of one that is not there any more.
        first_seen: the times in its item, as text, with these events in them.
        seen: names and milliseconds of events.

    Raises:
        StorageUnavailableError: some may not be kept; keeping them again goes on.
    """
    if first_seen is not None and _MARK in first_seen:
        _keep(account_id, beyond(json.loads(first_seen), seen))


def times_of(account_id: str, names: Iterable[str], *, consistent: bool = True) -> dict[str, int]:
    """The first times of names, in milliseconds, as far as they are kept here.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    found: dict[str, int] = {}
    for name in names:
        key = schema.more_name_key(name)
        pk = schema.activity_pk(account_id)
        request = reads.partition(schema.activity_table(), pk, between=(key, key), consistent=consistent)
        found.update((name, codec.number_of(item, _AT)) for item in pages(dynamodb().query, **request))
    return found


def fit(account_id: str, first_seen: str) -> str:
    """Move names out of an account's item that an earlier version kept there beyond the room for them.

    Args:
        account_id: the account.
        first_seen: the times in its item, as text.

    Returns:
        The times in its item as they are then; those that were given where somebody else changes them meanwhile.

    Raises:
        StorageUnavailableError: it is not known whether they are moved.
    """
    if len(first_seen) <= NAMES_BYTES or len(first_seen.encode()) <= NAMES_BYTES + MILESTONES_BYTES:
        return first_seen
    known: dict[str, int] = json.loads(first_seen)
    kept = fitting(known)
    _keep(account_id, beyond(kept, known.items()))
    text = codec.dumps(kept)
    as_read = conditions.unchanged("names", first_seen)
    update = changes.update(account_id, as_read, conditions.TAKES_WRITES, sets={"names": codec.text(text)})
    try:
        writes.apply(update)
    except ConditionFailedError:
        return first_seen
    return text


def fit_item(account: Account) -> None:
    """Do as `fit` for an account as it was read."""
    if len(account.first_seen) * _LONGEST > NAMES_BYTES + MILESTONES_BYTES:
        fit(account.account_id, codec.dumps({name: millis(at) for name, at in account.first_seen.items()}))


def move(old: str, new: str) -> Iterator[None]:
    """Move what is kept here of an account to another one, step by step.

    Raises:
        StorageUnavailableError: some may not be moved; moving again goes on.
    """
    pk, prefix = schema.activity_pk(old), schema.MORE_NAMES
    found = pages(dynamodb().query, **reads.partition(schema.activity_table(), pk, prefix=prefix))
    while batch := list(islice(found, _AT_ONCE)):
        _keep(new, {codec.text_of(one, "sk").removeprefix(prefix): codec.number_of(one, _AT) for one in batch})
        writes.delete_all(schema.activity_table(), [codec.key_of(one) for one in batch])
        yield


def _keep(account_id: str, times: Mapping[str, int]) -> None:
    names = sorted(times)
    for start in range(0, len(names), _AT_ONCE):
        _keep_together(account_id, {name: times[name] for name in names[start : start + _AT_ONCE]})


def _keep_together(account_id: str, times: Mapping[str, int]) -> None:
    table, pk = schema.activity_table(), schema.activity_pk(account_id)
    keys = {name: codec.key(pk, schema.more_name_key(name)) for name in times}
    for _ in attempts("too many writers at once for the names of an account"):
        known = {
            codec.text_of(item, "sk").removeprefix(schema.MORE_NAMES): codec.number_of(item, _AT)
            for _, item in reads.batch_get([(table, key) for key in keys.values()], {table: {"ConsistentRead": True}})
        }
        earlier = {name: at for name, at in times.items() if at < known.get(name, at + 1)}
        if not earlier:
            return
        puts = [
            writes.put(
                table,
                {**keys[name], _AT: codec.number(at)},
                conditions.equals(_AT, codec.number(known[name])) if name in known else conditions.ABSENT,
            )
            for name, at in earlier.items()
        ]
        try:
            writes.transact(*existence.checks([account_id]), *puts)
        except ConditionFailedError:
            if not existence.exists(account_id):
                return  # an erasure, or a merge, has its partition now
            continue
        return
