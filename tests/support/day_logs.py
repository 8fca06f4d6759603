"""Commits to the logs of days, as ingestion makes them, but without waits between attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import entry
from healthscore.storage import schema
from healthscore.storage.day_logs import commit_day
from healthscore.storage.day_logs.terms import Terms
from tests.support.events import DAY, MIDNIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.model import Event
    from healthscore.storage.day_logs.commit_shard import Committed
    from healthscore.storage.day_logs.log_items import DayLogReads

ACME = schema.activity_pk("acme")
TERMS = Terms((), 400, MIDNIGHT, lambda: float("inf"), sleep=lambda seconds: None)


def commit(
    events: Iterable[Event],
    *,
    pk: str = ACME,
    day: date = DAY,
    reading: DayLogReads | None = None,
    terms: Terms = TERMS,
) -> Committed:
    """Commit events to the log of a day; see `commit_entries`."""
    return commit_entries(pk, [entry(event) for event in events], day=day, reading=reading, terms=terms)


def commit_entries(
    pk: str,
    entries: Sequence[Entry],
    *,
    day: date = DAY,
    reading: DayLogReads | None = None,
    terms: Terms = TERMS,
) -> Committed:
    """Commit entries to the log of a day.

    Args:
        pk: partition key of the log, an account's.
        entries: what to add.
        day: the day that they fall on.
        reading: what the commit takes to be stored; read now where it is None.
        terms: what commits have in common.
    """
    reading = reading or commit_day.read([(pk, day)], terms.now)
    return commit_day.commit(
        pk,
        day,
        entries,
        stored=reading.head(pk, day),
        first_seen=reading.first_seen.get(pk),
        terms=terms,
    )
