"""Nightly runs (table Settings): the instant that each scores as of, its result, and its workers' totals."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.time import DAY, format_instant, parse_instant
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import existence
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from healthscore.storage.codec import Item

TOTALS, NAMED = "tally", "named"
"""The attributes that hold a worker's totals, and the accounts that these name."""


def accounts_about() -> int:
    """About how many accounts there are: DynamoDB counts a table's items every six hours.

    Raises:
        StorageUnavailableError: the table cannot be asked now.
    """
    return call(dynamodb().describe_table, TableName=schema.accounts_table())["Table"]["ItemCount"]


def start_run(day: date, as_of: datetime) -> datetime:
    """Pin the instant as of which a day's regular run scores.

    Returns:
        `as_of`, or the instant that an earlier start for the same day has pinned.

    Raises:
        StorageUnavailableError: not pinned.
    """
    item = {**_run_key(day), "as_of": codec.text(format_instant(as_of))}
    try:
        writes.apply(writes.put(schema.settings_table(), item, conditions.ABSENT))
    except ConditionFailedError:
        pinned = reads.get(schema.settings_table(), _run_key(day))
        if pinned is None:
            raise StorageUnavailableError("a run was there and is gone") from None
        return parse_instant(codec.text_of(pinned, "as_of"))
    return as_of


def any_run_before(day: date) -> bool:
    """Whether there was a regular run of an earlier day.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    stretch = (date.min.isoformat(), (day - DAY).isoformat())
    request = reads.partition(schema.settings_table(), schema.RUNS_PK, between=stretch)
    return bool(call(dynamodb().query, **request, Limit=1)["Items"])


def finish_run(day: date, result: dict[str, Any]) -> None:
    """Keep the result of a day's regular run.

    Raises:
        StorageUnavailableError: not kept.
    """
    writes.apply(writes.update(schema.settings_table(), _run_key(day), sets={"result": codec.json_text(result)}))


def record_outage(day: date, *, held: bool) -> bool:
    """Record whether a day's alerts about silent accounts stay held; what was recorded first stays.

    Returns:
        What is recorded.

    Raises:
        StorageUnavailableError: not kept.
    """
    update = writes.update(schema.settings_table(), _run_key(day), defaults={"held": codec.flag(held)})
    return codec.flag_of(writes.updated(update), "held")


def recorded_outages(first: date) -> dict[date, bool]:
    """Which runs held alerts back, by day, oldest first; of `first` and later days, and of finished runs only.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(schema.settings_table(), schema.RUNS_PK, between=(first.isoformat(), "~"))
    items = [item for item in pages(dynamodb().query, **request) if "held" in item]
    return {date.fromisoformat(codec.text_of(item, "sk")): codec.flag_of(item, "held") for item in items}


def put_worker_result(run: str, scan_part: int, chunk: int, totals: RunTotals, expires: datetime) -> None:
    """Keep one worker's totals, for the run's end to add up; those of the same part again replace them.

    Args:
        run: names the run, unlike any other.
        scan_part: which part of the accounts.
        chunk: the how-many-th worker on that part, from 0.
        totals: the worker's totals.
        expires: when they may go.

    Raises:
        ConditionFailedError: an account that the totals name is gone, or being erased.
        StorageUnavailableError: not kept.
    """
    item = {
        **codec.key(schema.WORKER_RESULTS_PK, schema.worker_result_key(run, scan_part, chunk)),
        TOTALS: codec.json_text(totals.stored()),
        "ttl": codec.number(int(expires.timestamp())),
    }
    named = sorted(totals.named)
    if named:
        item[NAMED] = codec.texts(named)
    writes.transact(writes.put(schema.settings_table(), item), *existence.checks(named))


def worker_results(run: str) -> Iterator[tuple[int, int, RunTotals]]:
    """Scan part, chunk and totals of each worker of a run, in that order, read page by page.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(schema.settings_table(), schema.WORKER_RESULTS_PK, prefix=f"{run}#")
    for item in pages(dynamodb().query, **request):
        _, scan_part, chunk = codec.text_of(item, "sk").rsplit("#", 2)
        yield int(scan_part), int(chunk), totals_of(item)


def totals_of(item: Item) -> RunTotals:
    """A worker's totals in an item."""
    return RunTotals.from_stored(codec.json_of(item, TOTALS))


def save_naming(totals: RunTotals, put: Callable[[RunTotals], None]) -> None:
    """Store a run's totals, or what is made of them, without the accounts that are erased meanwhile.

    Args:
        totals: the totals.
        put: stores them on condition of the `existence.checks` of the accounts that they name; called again with fewer
            names where one of these is gone.

    Raises:
        StorageUnavailableError: not stored.
    """
    for attempt in attempts("accounts are erased faster than they can be named"):
        if attempt:
            totals = totals.naming([account_id for account_id in sorted(totals.named) if existence.exists(account_id)])
        try:
            put(totals)
        except ConditionFailedError:
            continue
        return


def _run_key(day: date) -> Item:
    return codec.key(schema.RUNS_PK, day.isoformat())
