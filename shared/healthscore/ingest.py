"""Events in: from validated events to committed day logs."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.pack import entry
from healthscore.core.timeline import day_of
from healthscore.http.errors import ApiError
from healthscore.http.events import ALL_REJECTED, parse_batch
from healthscore.storage import daylogs, workspace
from healthscore.storage.client import CONCURRENCY
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.keys import activity_pk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from healthscore.core.model import Event
    from healthscore.core.pack import Entry
    from healthscore.http.events import ParsedBatch
    from healthscore.settings import Settings
    from healthscore.storage.workspace import StoredSettings

SETTINGS_SECONDS = 10.0
"""How long a warm process goes by settings it has read, as long as nothing is rejected by them."""


class EventSettings:
    """The settings as ingestion needs them: remembered for some seconds, but never to refuse an event by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stored: StoredSettings | None = None
        self._until = 0.0

    def read_batch(self, body: bytes, now: datetime) -> ParsedBatch:
        """Take a batch apart as `parse_batch` does, with its errors, by settings that are fresh where they matter."""
        if self._stored is not None and self._clock() < self._until:
            try:
                batch = parse_batch(body, now, self._stored.settings)
            except ApiError as error:
                if error.code != ALL_REJECTED:
                    raise
            else:
                if not batch.rejected:
                    return batch
        return parse_batch(body, now, self._remember(workspace.settings()))

    def with_timezone_fixed(self) -> Settings:
        """The settings to store events by: their time zone will not change any more."""
        if self._stored is None or not self._stored.timezone_fixed:
            return self._remember(workspace.fix_timezone())
        return self._stored.settings

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
    if not days:
        return Ingested(0, 0)
    reading = daylogs.read(days.keys())

    def commit_account(pk: str) -> Ingested:
        accepted = duplicates = 0
        firsts = reading.firsts[pk]
        for day in sorted(day for log, day in days if log == pk):
            if time_left() <= 0:
                raise StorageUnavailableError("out of time")
            committed = daylogs.commit(
                pk,
                day,
                days[pk, day],
                stored=reading.head(pk, day),
                firsts=firsts,
                milestones=settings.milestones,
                retention_days=settings.retention_days,
                now=now,
            )
            firsts = committed.firsts
            accepted += committed.accepted
            duplicates += committed.duplicates
        return Ingested(accepted, duplicates)

    accounts = sorted(reading.firsts)
    if len(accounts) == 1:
        return commit_account(accounts[0])
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        parts = list(pool.map(commit_account, accounts))
    return Ingested(sum(part.accepted for part in parts), sum(part.duplicates for part in parts))
