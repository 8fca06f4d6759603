"""Events in: from validated events to committed day logs."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log.codec import entry
from healthscore.core.time import day_of
from healthscore.storage.client import CONCURRENCY
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.errors import MovedError, StorageUnavailableError
from healthscore.storage.schema import activity_pk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.model import Event
    from healthscore.settings import Settings
    from healthscore.storage.day_logs.commit_shard import VersionCheck


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many events of a batch were accepted."""

    accepted: int
    duplicates: int


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
    days: dict[tuple[str, date], list[Entry]] = defaultdict(list)
    for event in events:
        days[activity_pk(event.account_id), day_of(event.at, settings.zone)].append(entry(event))
    batches = [DayBatch(pk, day, entries) for (pk, day), entries in days.items()]
    return commit_day_batches(batches, settings, now, time_left).ingested


class DayBatch(NamedTuple):
    """Entries for the same day of the same log."""

    pk: str
    day: date
    entries: list[Entry]
    version_check: VersionCheck | None = None
    """Items that must be unchanged at the moment of the commit."""


class Outcome(NamedTuple):
    """The result of committing batches."""

    ingested: Ingested
    moved: list[DayBatch]
    """The batches that are not committed, since an item of their version check has changed."""


def commit_day_batches(
    batches: Iterable[DayBatch], settings: Settings, now: datetime, time_left: Callable[[], float]
) -> Outcome:
    """Commit entries to logs, each exactly once; see `ingest`.

    Raises:
        StorageUnavailableError: some of the entries are not committed, or not known to be.
    """
    by_log: dict[str, list[DayBatch]] = defaultdict(list)
    for batch in batches:
        by_log[batch.pk].append(batch)
    if not by_log:
        return Outcome(Ingested(0, 0), [])
    reads = daylogs.read({(batch.pk, batch.day) for of_log in by_log.values() for batch in of_log})

    def commit_log(pk: str) -> Outcome:
        accepted = duplicates = 0
        moved = []
        first_seen = reads.first_seen.get(pk)
        for batch in sorted(by_log[pk], key=lambda batch: batch.day):
            if time_left() <= 0:
                raise StorageUnavailableError("out of time")
            try:
                committed = daylogs.commit(
                    pk,
                    batch.day,
                    batch.entries,
                    stored=reads.head(pk, batch.day),
                    first_seen=first_seen,
                    milestones=settings.milestones,
                    retention_days=settings.retention_days,
                    now=now,
                    version_check=batch.version_check,
                )
            except MovedError:
                moved.append(batch)
                continue
            first_seen = committed.first_seen
            accepted += committed.accepted
            duplicates += committed.duplicates
        return Outcome(Ingested(accepted, duplicates), moved)

    logs = sorted(by_log)
    if len(logs) == 1:
        return commit_log(logs[0])
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        parts = list(pool.map(commit_log, logs))
    total = Ingested(sum(part.ingested.accepted for part in parts), sum(part.ingested.duplicates for part in parts))
    return Outcome(total, [batch for part in parts for batch in part.moved])
