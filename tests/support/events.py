"""Made-up events, and the figures that a set of them must lead to, computed the plain way."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from healthscore.core.model import MICROS, DayRollup, Event, NameCount

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
NAMES = ("login", "page_viewed", "report_exported", "größe_geändert")
NAMED = [*((name, None) for name in NAMES), ("page_viewed", "Home")]
GAP = timedelta(minutes=30)


def event(event_id: str, minute: float = 0, **fields) -> Event:
    """An event of `DAY`, so many minutes after midnight."""
    at = MIDNIGHT + timedelta(milliseconds=round(minute * 60_000))
    return Event(**{"event_id": event_id, "account_id": "acme", "name": "page_viewed", "at": at, **fields})


def distinct_events(*, min_size: int = 1, max_size: int = 40) -> st.SearchStrategy[list[Event]]:
    """Events of one account and day with distinct ids; times are dense enough for sessions to meet."""
    times = st.one_of(
        st.integers(0, 24 * 60 - 1).map(lambda minute: minute * 60_000),
        st.integers(0, 86_399_999),
        st.sampled_from([0, 1_800_000, 1_800_001, 3_600_000, 3_600_001, 86_399_999]),
    )
    one = st.builds(
        lambda at, user, anonymous, session, named, value: {
            "at": MIDNIGHT + timedelta(milliseconds=at),
            "user_id": user,
            "anonymous_id": anonymous,
            "session_id": session,
            "name": named[0],
            "page": named[1],
            "value": value,
        },
        times,
        st.sampled_from([None, "ann", "bob", "7d9f1c52-3a50-4a09-9df4-0c2f3f1a2b3c"]),
        st.sampled_from([None, None, "visitor-1"]),
        st.sampled_from([None, None, "s1", "s2"]),
        st.sampled_from(NAMED),
        st.sampled_from([MICROS, MICROS, 120 * MICROS, -5, 0]),
    )
    return st.lists(one, min_size=min_size, max_size=max_size).map(
        lambda drawn: [Event(event_id=f"e{i}", account_id="acme", **fields) for i, fields in enumerate(drawn)]
    )


def naive_rollup(events: Iterable[Event], day: date = DAY) -> DayRollup:
    """The figures of one day's distinct events, as the scoring rules word them, without any of the product's code."""
    ordered = sorted(events, key=lambda event: event.at)
    runs = _sessions(ordered)
    names: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in ordered:
        names[one.name][0] += 1
        names[one.name][1] += one.value
    return DayRollup(
        day=day,
        events=len(ordered),
        sessions=len(runs),
        session_events=sum(len(run) for run in runs),
        session_ms=sum((run[-1] - run[0]) // timedelta(milliseconds=1) for run in runs),
        people=len({_person(one) for one in ordered} - {None}),
        first_at=ordered[0].at,
        last_at=ordered[-1].at,
        names={name: NameCount(count, value) for name, (count, value) in names.items()},
    )


def _person(one: Event) -> tuple[str, str] | None:
    if one.user_id is not None:
        return "user", one.user_id
    return None if one.anonymous_id is None else ("anonymous", one.anonymous_id)


def _sessions(ordered: list[Event]) -> list[list[datetime]]:
    named: dict[object, list[datetime]] = defaultdict(list)
    unnamed: dict[object, list[datetime]] = defaultdict(list)
    for one in ordered:
        person = _person(one)
        if one.session_id is not None:
            named[person, one.session_id].append(one.at)
        elif person is not None:
            unnamed[person].append(one.at)
    runs = list(named.values())
    for times in unnamed.values():
        cuts = [0, *(i for i, (a, b) in enumerate(pairwise(times), 1) if b - a > GAP), len(times)]
        runs += [times[start:end] for start, end in pairwise(cuts)]
    return runs
