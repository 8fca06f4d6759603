"""Reads roll-ups of accounts (table Activity): by day, and of a single day up to an instant."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.day_log.rollup import Fold, decode_rollup, merged
from healthscore.core.time import DAY, millis
from healthscore.storage import codec, reads, schema
from healthscore.storage.accounts import use as stored_use
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.day_logs.log_items import version_of
from healthscore.storage.day_logs.stretches import HEAD_ATTRIBUTES
from healthscore.storage.day_logs.whole_days import read_day

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from healthscore.core.model import DayRollup
    from healthscore.storage.accounts.use import StoredUse
    from healthscore.storage.codec import Item
    from healthscore.storage.day_logs.stretches import HeadItem


class Month(NamedTuple):
    """An account's newest days, and its use as far as it is folded: what a night reads of it."""

    rollups: list[DayRollup]
    """Of the active days, oldest first, those included on which only users were active who do not count."""
    versions: dict[int, int]
    """What tells the log of each day from others, by the day's number; days without a log are left out."""
    use: StoredUse
    heads: list[HeadItem]
    """The heads of the days' logs, for `stretches.of_heads`."""


def month(account_id: str, first: date, last: date, *, consistent: bool) -> Month:
    """Read an account's days from `first` to `last`, without names, and its use, in one Query.

    It has the heads' logs as well: a call for those that have changed would take longer than to carry all of them.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(
        schema.activity_table(),
        schema.activity_pk(account_id),
        between=schema.days_and_use_range(first),
        attributes=tuple(dict.fromkeys(("r", *HEAD_ATTRIBUTES, *stored_use.ATTRIBUTES))),
        consistent=consistent,
    )
    heads: list[HeadItem] = []
    items, end = [], schema.day_range(first, last)[1]
    for item in pages(dynamodb().query, **request):
        sk = codec.text_of(item, "sk")
        if sk.startswith(schema.DAYS_PREFIX):
            if sk < end:
                heads.append((*schema.parse_day_key(sk), item))
        else:
            items.append(item)
    versions: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for day, shard, item in heads:
        versions[day.toordinal()].append((shard, codec.text_of(item, "v")))
    found = _days(((day, item) for day, _, item in heads), names=False, not_counted=True)
    known = {day: version_of(of_day) for day, of_day in versions.items()}
    return Month(found, known, stored_use.of_items(items), heads)


def rollups(
    account_id: str, first: date, last: date, *, consistent: bool, names: bool = True, not_counted: bool = False
) -> list[DayRollup]:
    """The roll-ups of an account's active days from `first` to `last`, oldest first, in one Query.

    Args:
        account_id: the account.
        first: the first day, in the workspace's zone.
        last: the last day, included.
        consistent: whether events that were answered 200 a moment ago must be in it, at twice the read units.
        names: whether the tallies of event names are wanted; a score does not use them.
        not_counted: whether days are wanted as well on which only users were active who do not count.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(dynamodb().query, **_request(account_id, first, last, consistent=consistent))
    heads = ((schema.parse_day_key(codec.text_of(item, "sk"))[0], item) for item in items)
    return _days(heads, names=names, not_counted=not_counted)


def _days(heads: Iterable[tuple[date, Item]], *, names: bool, not_counted: bool) -> list[DayRollup]:
    shards = [decode_rollup(day, codec.text_of(item, "r"), names=names) for day, item in heads if "r" in item]
    days = (merged(list(parts)) for _, parts in groupby(shards, key=attrgetter("day")))
    return [rollup for rollup in days if rollup.events or (not_counted and rollup.not_counted)]


def last_rollup_before(account_id: str, day: date, *, consistent: bool) -> DayRollup | None:
    """The roll-up of an account's last active day before `day`, or None; reads one item of a day without shards."""
    while True:
        request = _request(account_id, date.min, day - DAY, consistent=consistent)
        page = call(dynamodb().query, **request, ScanIndexForward=False, Limit=1)
        if not page["Items"]:
            return None
        (item,) = page["Items"]
        day, shard = schema.parse_day_key(codec.text_of(item, "sk"))
        if shard == 0 and "r" in item and (rollup := decode_rollup(day, codec.text_of(item, "r"))).events:
            return rollup
        if found := rollups(account_id, day, day, consistent=consistent) if shard else []:
            return found[0]


def rollup_until(account_id: str, day: date, until: datetime) -> DayRollup | None:
    """The roll-up of the events of one day up to an instant, folded from the day's log; None if there are none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    entries = [entry for entry in read_day(schema.activity_pk(account_id), day) if entry.at <= millis(until)]
    rollup = Fold().add(entries).rollup(day)
    return rollup if rollup.events else None


def _request(account_id: str, first: date, last: date, *, consistent: bool) -> dict[str, Any]:
    return reads.partition(
        schema.activity_table(),
        schema.activity_pk(account_id),
        between=schema.day_range(first, last),
        attributes=("sk", "r"),
        consistent=consistent,
    )
