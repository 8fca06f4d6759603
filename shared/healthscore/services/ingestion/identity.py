"""Calls in: from validated calls of Segment's API to committed day logs, records of ids, and traits.

Calls that say who is who come first, so that the events of the same request count where they belong. An event that
names its account goes to that account's log; any other goes to the own log of its id, with a copy where the id belongs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore.core.identity.traits import FILLS
from healthscore.core.time import day_of, from_millis, millis
from healthscore.services.ingestion.events import Ingested, commit_all
from healthscore.services.ingestion.first_times import with_first_times
from healthscore.services.ingestion.relations import Recorder, positions_of, relations_of
from healthscore.storage.accounts import accounts, merges
from healthscore.storage.day_logs import commit_gated, commit_own
from healthscore.storage.day_logs.commit_own import OwnEntries
from healthscore.storage.day_logs.fitting import commit_fitting
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.errors import NoRoomError, StorageUnavailableError
from healthscore.storage.people import traits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.identity.calls import ParsedCalls, TrackedEvent
    from healthscore.settings import Settings


GATED = timedelta(days=400)
"""How far ahead a wrong clock leaves gates. An event that is sent again after that counts a second time."""


class Tracker:
    """Records the calls of one request."""

    def __init__(self, settings: Settings, now: datetime, time_left: Callable[[], float]) -> None:
        """Keep what all calls of the request have in common.

        Args:
            settings: the workspace's settings; its time zone must be fixed.
            now: when the request came in, aware.
            time_left: seconds until the answer must be out.
        """
        self._settings = settings
        self._now = now
        self._time_left = time_left

    def record(self, calls: ParsedCalls) -> Ingested:
        """Store calls: first who is who, then events, then traits. What has no room does not stop the others.

        Raises:
            StorageUnavailableError: some of it is not stored, or not known to be. All of it may be sent again: what
                was stored is recognised.
        """
        calls = with_first_times(calls, self._settings, self._now)
        return merges.following(lambda: self._record(calls))

    def _record(self, calls: ParsedCalls) -> Ingested:
        facts = Recorder(self._settings, self._now, self._time_left).record(relations_of(calls))
        events = self._commit(calls.tracked_events)
        no_room_for = {*events.no_room_for, *positions_of(calls, facts), *self._describe(calls)}
        return replace(events, no_room_for=tuple(sorted(no_room_for)))

    def _commit(self, events: Sequence[TrackedEvent]) -> Ingested:
        """Commit events, each exactly once."""
        accepted = 0
        without_room: list[TrackedEvent] = []
        named: list[TrackedEvent] = []
        own: list[TrackedEvent] = []
        for event in events:
            if self._is_gated(event):
                new, left = commit_fitting([event], lambda gated: self._commit_gated(*gated))
                accepted += new
                without_room += left
            elif event.account_id is not None:
                named.append(event)
            elif event.entry.person is not None:
                own.append(event)
        dated = [(event.account_id or "", self._day(event.entry.at), event.entry) for event in named]
        of_accounts = commit_all(dated, self._terms)
        without_room += [named[position] for position in of_accounts.no_room_for]
        logs: dict[tuple[str, date], list[Entry]] = defaultdict(list)
        for event in own:
            logs[event.entry.person or "", self._day(event.entry.at)].append(event.entry)
        of_ids = commit_own.commit([OwnEntries(*log, entries) for log, entries in logs.items()], self._terms)
        without_room += [event for event in own if event.entry in of_ids.without_room]
        accepted += of_accounts.accepted + of_ids.accepted
        no_room_for = tuple(event.position for event in without_room)
        return Ingested(accepted, len(events) - accepted - len(no_room_for), no_room_for)

    def _is_gated(self, event: TrackedEvent) -> bool:
        """Whether a repetition might count on another day: on the one that a wrong clock has named, once it comes."""
        if event.written is None or event.written > millis(self._now + GATED):
            return False
        return self._day(event.written) != self._day(event.entry.at)

    def _commit_gated(self, event: TrackedEvent) -> int:
        """Commit an event whose clock was corrected, with a gate on the day that the clock had named."""
        if self._time_left() <= 0:
            raise StorageUnavailableError("out of time")
        entry, written = event.entry, event.written or event.entry.at
        day, gate, gate_day = self._day(entry.at), commit_gated.gate_of(entry, written), self._day(written)
        if event.account_id is not None:
            return commit_gated.commit(event.account_id, day, entry, gate_day=gate_day, gate=gate, terms=self._terms)
        if entry.person is None:
            return 0
        part = OwnEntries(entry.person, day, [entry], {entry.id: (gate_day, gate)})
        counts = commit_own.commit([part], self._terms)
        if counts.without_room:
            raise NoRoomError
        return counts.accepted

    def _describe(self, calls: ParsedCalls) -> set[int]:
        """Save traits; answers the positions of the calls whose traits there is no room for."""
        no_room_for = set()
        for said in calls.accounts:
            try:
                accounts.save_traits(said.about, said.traits, FILLS if calls.is_public else said.at, self._now)
            except NoRoomError:
                no_room_for.add(said.position)
        for said in calls.people:
            of_person = {name: value for name, value in said.traits.items() if name != "internal"}
            traits.describe(said.about, of_person, FILLS if calls.is_public else said.at)
        return no_room_for

    @property
    def _terms(self) -> Terms:
        return Terms.of(self._settings, self._now, self._time_left)

    def _day(self, at: int) -> date:
        return day_of(from_millis(at), self._settings.zone)
