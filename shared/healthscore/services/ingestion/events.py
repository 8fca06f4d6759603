"""Events in: from validated events to committed day logs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log.codec import entry
from healthscore.core.time import day_of
from healthscore.storage.accounts import merges
from healthscore.storage.day_logs import commit_day, moving, settle
from healthscore.storage.day_logs.fitting import commit_fitting
from healthscore.storage.day_logs.lookup import NOBODY
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.errors import NoRoomError, StorageUnavailableError
from healthscore.storage.schema import account_of, activity_pk
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.model import Event
    from healthscore.settings import Settings
    from healthscore.storage.day_logs.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many events of a batch were accepted."""

    accepted: int
    duplicates: int
    no_room_for: tuple[int, ...] = ()
    """Positions of the events and calls that there is no room for, and never will be. All others are stored."""


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


def commit_all(dated: Sequence[tuple[str, date, Entry]], terms: Terms) -> Ingested:
    """Commit entries, each with the account that it names and its day; see `ingest`. Positions are those in `dated`.

    Raises:
        MergedError: one of the accounts was given up for another one meanwhile; what was committed is recognised.
        StorageUnavailableError: some of the entries are not committed, or not known to be.
    """
    logs = [_Log(activity_pk(terms.merges.canonical(account_id)), day) for account_id, day, _ in dated]
    days: dict[_Log, list[Entry]] = defaultdict(list)
    for log, (_, _, one) in zip(logs, dated, strict=True):
        days[log].append(one)
    for pk, day in sorted(days):
        moving.move_day_to(account_of(pk), day, terms)
    accepted, without_room = _commit([_DayBatch(*log, entries) for log, entries in days.items()], terms)
    named = enumerate(zip(logs, dated, strict=True))
    no_room_for = tuple(position for position, (log, (_, _, one)) in named if (log, one) in without_room)
    return Ingested(accepted, len(dated) - accepted - len(no_room_for), no_room_for)


class _Log(NamedTuple):
    """The log of a day of an account."""

    pk: str
    day: date


class _DayBatch(NamedTuple):
    """Entries for the same day of the same account."""

    pk: str
    day: date
    entries: list[Entry]


def _commit(batches: Sequence[_DayBatch], terms: Terms) -> tuple[int, set[tuple[_Log, Entry]]]:
    """Commit batches; answers how many entries were new, and those that there is no room for."""
    if not batches:
        return 0, set()
    by_log: dict[str, list[_DayBatch]] = defaultdict(list)
    for batch in batches:
        by_log[batch.pk].append(batch)
    reads = commit_day.read({(batch.pk, batch.day) for batch in batches}, terms.now)
    try:
        looked_up = commit_day.look_up(batches, reads)
    except NoRoomError:  # of one person's record: each commit looks its own people up
        looked_up = NOBODY

    def commit_log(of_log: Sequence[_DayBatch]) -> tuple[int, set[tuple[_Log, Entry]]]:
        accepted = 0
        without_room: set[tuple[_Log, Entry]] = set()
        first_seen = reads.first_seen.get(of_log[0].pk)

        def commit_some(entries: Sequence[Entry]) -> int:
            nonlocal first_seen
            if terms.time_left() <= 0:
                raise StorageUnavailableError("out of time")
            committed = commit_day.commit(
                pk,
                day,
                entries,
                stored=reads.head(pk, day),
                first_seen=first_seen,
                terms=terms,
                looked_up=looked_up,
            )
            first_seen = committed.first_seen
            if committed.unsure:
                settle.settle_named(committed.unsure, account_of(pk), day, terms)
            return committed.accepted

        for pk, day, entries in sorted(of_log, key=lambda batch: batch.day):
            new, not_committed = commit_fitting(entries, commit_some)
            accepted += new
            without_room |= {(_Log(pk, day), one) for one in not_committed}
        return accepted, without_room

    try:
        parts = side_by_side(commit_log, [by_log[pk] for pk in sorted(by_log)])
    finally:  # what is committed must be looked at again, also where something else could not be
        _look_again(looked_up, batches, terms)
    return sum(accepted for accepted, _ in parts), set().union(*(without_room for _, without_room in parts))


def _look_again(looked_up: Lookup, batches: Iterable[_DayBatch], terms: Terms) -> None:
    """Mend the labels of those of whom something became known between the look-up and the commits."""
    overtaken = looked_up.people.overtaken()
    for pk, day, entries in batches:
        if unsure := looked_up.unsure(entries, day, overtaken):
            settle.settle_named(unsure, account_of(pk), day, terms)
