"""The roll-up of a day: the sum of its log, and its form in the head item (scoring rules 4, 6, 7, 11)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import COPY, GATE, PARTLY
from healthscore.core.day_log.sessions import Sessions
from healthscore.core.model import MICROS, DayRollup, NameCount
from healthscore.core.time import from_millis, millis

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry

NAMES_BYTES = 320
"""Room for event names in a day's roll-up; the less frequent ones beyond it are summed under the empty name."""


class Fold:
    """The sum of a set of entries; the order in which they are added does not matter."""

    __slots__ = ("_events", "_first", "_last", "_names", "_not_counted", "_people", "_sessions", "labels")

    def __init__(self) -> None:
        self._events = 0
        self._first = self._last = 0
        self._names: dict[str, tuple[int, int]] = {}
        self._people: set[str] = set()
        self._sessions = Sessions()
        self._not_counted = 0
        self.labels: dict[str, str | None] = {}
        """By the id that events name: the label that all its entries of the day have, as far as the log tells."""

    def copy(self) -> Fold:
        """An independent copy."""
        twin = Fold()
        twin._events, twin._first, twin._last = self._events, self._first, self._last
        twin._names = self._names.copy()
        twin._people = self._people.copy()
        twin._sessions = self._sessions.copy()
        twin._not_counted = self._not_counted
        twin.labels = self.labels.copy()
        return twin

    def add(self, entries: Iterable[Entry]) -> Fold:
        """Add entries, each of which must not have been added before; answers itself."""
        for entry in entries:
            at, _, person, session, name, value, _, label, flags = entry
            if flags & GATE:
                continue
            if person is not None:
                note_label(self.labels, entry)
            if (label is not None or flags) and not entry.counts:
                self._not_counted += 1
                continue
            if not self._events:
                self._first = self._last = at
            elif at < self._first:
                self._first = at
            elif at > self._last:
                self._last = at
            self._events += 1
            count, total = self._names.get(name, (0, 0))
            self._names[name] = (count + 1, total + value)
            who = person if label is None else label
            if who is not None:
                self._people.add(who)
            self._sessions.add(who, session, at)
        return self

    def rollup(self, day: date) -> DayRollup:
        """The roll-up of a day. Where nothing counts, its times are the beginning of the epoch."""
        sessions, session_events, session_ms = self._sessions.totals()
        return DayRollup(
            day=day,
            events=self._events,
            sessions=sessions,
            session_events=session_events,
            session_ms=session_ms,
            people=len(self._people),
            first_at=from_millis(self._first),
            last_at=from_millis(self._last),
            names=_frequent(self._names.copy()),
            not_counted=self._not_counted,
        )


def note_label(labels: dict[str, str | None], entry: Entry) -> None:
    """Note the label of an entry, if all entries of the same id have it that day.

    A user is one person all day. A device may be several people's in turn, as entries say that name their account. A
    gate is of another day, and a copy does not say that events of the id name the account.
    """
    if entry.person is not None and not entry.flags & (GATE | COPY | PARTLY):
        labels[entry.person] = entry.label


def merged(parts: Sequence[DayRollup]) -> DayRollup:
    """The roll-up of a day from those of its shards, at least one; no person and no session is in two of them."""
    not_counted = sum(part.not_counted for part in parts)
    parts = [part for part in parts if part.events] or parts[:1]
    first = parts[0]
    if len(parts) == 1:
        return replace(first, not_counted=not_counted)
    names: dict[str, tuple[int, int]] = {}
    for part in parts:
        for name, counted in part.names.items():
            count, value = names.get(name, (0, 0))
            names[name] = (count + counted.count, value + counted.value)
    return DayRollup(
        day=first.day,
        events=sum(part.events for part in parts),
        sessions=sum(part.sessions for part in parts),
        session_events=sum(part.session_events for part in parts),
        session_ms=sum(part.session_ms for part in parts),
        people=sum(part.people for part in parts),
        first_at=min(part.first_at for part in parts),
        last_at=max(part.last_at for part in parts),
        names=_frequent(names),
        not_counted=not_counted,
    )


def _frequent(names: dict[str, tuple[int, int]]) -> dict[str, NameCount]:
    """The most frequent names that fit `NAMES_BYTES` (ties: by name), and the sum of the others under ""."""
    kept: dict[str, NameCount] = {}
    rest_count, rest_value = names.pop("", (0, 0))
    room = NAMES_BYTES
    for name, (count, value) in sorted(names.items(), key=lambda item: (-item[1][0], item[0])):
        room -= len(name.encode()) + 8
        if room >= 0:
            kept[name] = NameCount(count, value)
        else:
            rest_count += count
            rest_value += value
    if rest_count:
        kept[""] = NameCount(rest_count, rest_value)
    return kept


def encode_rollup(rollup: DayRollup) -> str:
    """A roll-up as compact JSON, as the head item holds it."""
    names = {
        name: counted.count if counted.value == counted.count * MICROS else [counted.count, counted.value]
        for name, counted in rollup.names.items()
    }
    fields = {
        "e": rollup.events,
        "s": rollup.sessions,
        "se": rollup.session_events,
        "ms": rollup.session_ms,
        "p": rollup.people,
        "f": millis(rollup.first_at),
        "l": millis(rollup.last_at),
        "n": names,
    }
    if rollup.not_counted:
        fields["x"] = rollup.not_counted
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def decode_rollup(day: date, text: str, *, names: bool = True) -> DayRollup:
    """Read what `encode_rollup` wrote.

    Args:
        day: the day.
        text: the roll-up as the head item holds it.
        names: whether the counts of event names are wanted: making them is most of the work.
    """
    fields = json.loads(text)
    counts = fields["n"] if names else {}
    return DayRollup(
        day=day,
        events=fields["e"],
        sessions=fields["s"],
        session_events=fields["se"],
        session_ms=fields["ms"],
        people=fields["p"],
        first_at=from_millis(fields["f"]),
        last_at=from_millis(fields["l"]),
        names={
            name: NameCount(counted, counted * MICROS) if isinstance(counted, int) else NameCount(*counted)
            for name, counted in counts.items()
        },
        not_counted=fields.get("x", 0),
    )
