"""Events in: from validated events to committed day logs."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthscore import process
from healthscore.api.events import ALL_REJECTED, parse_batch
from healthscore.api.segment_com import parse_calls
from healthscore.core.day_log.codec import entry
from healthscore.core.time import day_of
from healthscore.http.errors import ApiError
from healthscore.storage import workspace
from healthscore.storage.client import CONCURRENCY
from healthscore.storage.day_logs import commit as daylogs
from healthscore.storage.errors import MovedError, StorageUnavailableError
from healthscore.storage.schema import activity_pk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from healthscore.api.events import ParsedBatch
    from healthscore.api.segment_com import ParsedCalls
    from healthscore.core.day_log.codec import Entry
    from healthscore.core.model import Event
    from healthscore.settings import Settings
    from healthscore.storage.day_logs.commit_shard import VersionCheck
    from healthscore.storage.workspace import StoredSettings

SETTINGS_SECONDS = 10.0
"""How long a warm process goes by settings it has read, as long as nothing is rejected by them."""


class EventSettings:
    """The settings as ingestion needs them: remembered for some seconds, but never to refuse an event by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stored: StoredSettings | None = None
        self._until = 0.0
        process.remember(self)

    def forget(self) -> None:
        """Read the settings anew."""
        self._stored = None

    def read_batch(self, body: bytes, now: datetime) -> ParsedBatch:
        """Take a batch apart as `parse_batch` does, with its errors, by settings that are fresh where they matter."""
        try:
            batch = parse_batch(body, now, self._at_hand())
        except ApiError as error:
            if error.code != ALL_REJECTED:
                raise
        else:
            if not batch.rejected:
                return batch
        return parse_batch(body, now, self._remember(workspace.settings()))

    def read_calls(self, body: object, kind: str | None, now: datetime) -> ParsedCalls:
        """Take calls of the Segment dialect apart as `parse_calls` does, likewise."""
        calls = parse_calls(body, kind, now, self._at_hand())
        return parse_calls(body, kind, now, self._remember(workspace.settings())) if calls.rejected else calls

    def with_timezone_fixed(self) -> Settings:
        """The settings to store events by: their time zone will not change any more."""
        if self._stored is None or not self._stored.timezone_fixed:
            return self._remember(workspace.fix_timezone())
        return self._stored.settings

    def _at_hand(self) -> Settings:
        if self._stored is not None and self._clock() < self._until:
            return self._stored.settings
        return self._remember(workspace.settings())

    def _remember(self, stored: StoredSettings) -> Settings:
        self._stored, self._until = stored, self._clock() + SETTINGS_SECONDS
        return stored.settings


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a batch."""

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
    """What must still stand as it was read when they are committed."""


class Outcome(NamedTuple):
    """What became of batches."""

    ingested: Ingested
    moved: list[DayBatch]
    """Those that are not committed, since their version_check did not stand any more."""


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
    reading = daylogs.read({(batch.pk, batch.day) for of_log in by_log.values() for batch in of_log})

    def commit_log(pk: str) -> Outcome:
        accepted = duplicates = 0
        moved = []
        first_seen = reading.first_seen.get(pk)
        for batch in sorted(by_log[pk], key=lambda batch: batch.day):
            if time_left() <= 0:
                raise StorageUnavailableError("out of time")
            try:
                committed = daylogs.commit(
                    pk,
                    batch.day,
                    batch.entries,
                    stored=reading.head(pk, batch.day),
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
