"""Events in: from validated events to committed day logs."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log.codec import entry
from healthscore.core.time import day_of
from healthscore.storage.accounts import merges
from healthscore.storage.client import CONCURRENCY
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.day_logs import moving, settle
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.schema import account_of, activity_pk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.model import Event
    from healthscore.settings import Settings


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many events of a batch were accepted."""

    accepted: int
    duplicates: int
    no_room_for: tuple[int, ...] = ()
    """Positions of the calls that say what there is no room for, and never will be."""


def ingest(
    events: Iterable[Event], settings: Settings, now: datetime, time_left: Callable[[], float] = lambda: float("inf")
) -> Ingested:
    """Commit a batch of events, each exactly once.

    The batch is split by account and day. An account's days are committed one after the other, earliest first, so that
    the first time an event name is seen goes in with the first day that has it; accounts go side by side.

    Args:
        events: valid events of any accounts and days.
        settings: the workspace's settings; its time zone must be fixed.
        now: when the request came in, aware.
        time_left: seconds until the answer must be out.

    Raises:
        StorageUnavailableError: some of the events are not committed, or not known to be. The whole batch may be sent
            again: what was committed is recognised.
    """
    dated = [(event.account_id, day_of(event.at, settings.zone), entry(event)) for event in events]
    return merges.following(lambda: commit_all(dated, Terms.of(settings, now, time_left)))


def commit_all(dated: Iterable[tuple[str, date, Entry]], terms: Terms) -> Ingested:
    """Commit entries, each with the account that it names and its day; see `ingest`.

    Raises:
        MergedError: one of the accounts was given up for another one meanwhile; what was committed is recognised.
        StorageUnavailableError: some of the entries are not committed, or not known to be.
    """
    days: dict[tuple[str, date], list[Entry]] = defaultdict(list)
    for account_id, day, one in dated:
        days[terms.merges.canonical(account_id), day].append(one)
    for account_id, day in sorted(days):
        moving.move_day_to(account_id, day, terms)
    batches = [_DayBatch(activity_pk(account_id), day, entries) for (account_id, day), entries in days.items()]
    return _commit(batches, terms)


class _DayBatch(NamedTuple):
    """Entries for the same day of the same account."""

    pk: str
    day: date
    entries: list[Entry]


def _commit(batches: Iterable[_DayBatch], terms: Terms) -> Ingested:
    by_log: dict[str, list[_DayBatch]] = defaultdict(list)
    for batch in batches:
        by_log[batch.pk].append(batch)
    if not by_log:
        return Ingested(0, 0)
    reads = daylogs.read({(batch.pk, batch.day) for of_log in by_log.values() for batch in of_log})

    def commit_log(pk: str) -> tuple[int, int]:
        accepted = duplicates = 0
        first_seen = reads.first_seen.get(pk)
        for batch in sorted(by_log[pk], key=lambda batch: batch.day):
            if terms.time_left() <= 0:
                raise StorageUnavailableError("out of time")
            committed = daylogs.commit(
                pk,
                batch.day,
                batch.entries,
                stored=reads.head(pk, batch.day),
                first_seen=first_seen,
                terms=terms,
            )
            first_seen = committed.first_seen
            accepted += committed.accepted
            duplicates += committed.duplicates
            if committed.unsure:
                settle.settle_named(committed.unsure, account_of(pk), batch.day, terms)
        return accepted, duplicates

    logs = sorted(by_log)
    if len(logs) == 1:
        parts = [commit_log(logs[0])]
    else:
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            parts = list(pool.map(commit_log, logs))
    return Ingested(sum(accepted for accepted, _ in parts), sum(duplicates for _, duplicates in parts))
