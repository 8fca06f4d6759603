"""The health answer by the naive model, and the instants at which it is compared with the product's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.e2e import naive

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from tests.e2e.naive import Event, Score

DAY = timedelta(days=1)
WINDOW = 30
MONTHS = 36
BUSY_DAYS = 8
SILENCES = 5


def expected_answer(account_id: str, score: Score, milestones: Sequence[str]) -> dict[str, Any]:
    """The expected health answer, as far as it follows from the events alone."""
    facts: dict[str, dict[str, Any]] = {
        "activity": {"events": score.events, "window_days": WINDOW},
        "engagement": {
            "sessions": score.sessions,
            "average_session_seconds": naive.shown(score.average_session_seconds),
            "average_events_per_session": naive.shown(score.average_events_per_session),
            "days_active": score.days_active,
        },
        "milestones": {
            "reached": [{"name": name, "at": at} for at, name in score.reached],
            "configured": list(milestones),
        },
        "recency": {
            "last_seen_at": score.last_seen,
            "days_since": score.last_seen and naive.shown(_days(score.as_of - score.last_seen)),
        },
    }
    lifts = {name: Fraction(naive.WEIGHTS[name] * (100 - value), 100) for name, value in score.components.items()}
    weakest = min(score.components, key=lambda name: (score.components[name], -naive.WEIGHTS[name]))
    return {
        "account_id": account_id,
        "as_of": score.as_of,
        "model": "standard-v1",
        "score": score.score,
        "band": score.band,
        "color": naive.COLORS[score.band],
        "components": {
            name: {
                "score": value,
                "weight": naive.WEIGHTS[name],
                "points": Fraction(naive.WEIGHTS[name] * value, 100),
                "lift": lifts[name],
                "facts": facts[name],
            }
            for name, value in score.components.items()
        }
        | {"crm": None},
        "biggest_opportunity": {"component": weakest, "lift": lifts[weakest]} if lifts[weakest] else None,
        "coverage": {"crm": "not_connected"},
    }


def _days(elapsed: timedelta) -> Fraction:
    return Fraction(elapsed // naive.MILLISECOND, DAY // naive.MILLISECOND)


def differences(expected: Any, actual: Any, where: str = "") -> list[str]:
    """The differences between answer and expectation; further fields of the answer do not matter."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            difference
            for name, value in expected.items()
            for difference in differences(value, actual.get(name, "missing"), f"{where}.{name}".lstrip("."))
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            difference
            for index, (one, other) in enumerate(zip(expected, actual, strict=True))
            for difference in differences(one, other, f"{where}[{index}]")
        ]
    if isinstance(expected, datetime) and isinstance(actual, str):
        same = datetime.fromisoformat(actual) == expected
    elif isinstance(expected, int | Fraction):
        same = isinstance(actual, int | Decimal) and expected == actual
    else:
        same = type(expected) is type(actual) and expected == actual
    return [] if same else [f"{where}: expected {expected}, got {actual}"]


def end_of(day: date, zone: tzinfo) -> datetime:
    """The last millisecond of a calendar day in a zone, as UTC."""
    return datetime.combine(day + DAY, time.min, zone).astimezone(UTC) - naive.MILLISECOND


def month_ends(today: date, zone: tzinfo) -> list[datetime]:
    """The ends of the last 36 months that are over, oldest first."""
    ends, first = [], today.replace(day=1)
    for _ in range(MONTHS):
        ends.append(end_of(first - DAY, zone))
        first = (first - DAY).replace(day=1)
    return ends[::-1]


def whole_life(events: Sequence[Event], zone: tzinfo) -> list[datetime]:
    """The ends of consecutive windows in which each event lies exactly once."""
    last = events[0].day + (WINDOW - 1) * DAY
    ends = [end_of(last, zone)]
    while last < events[-1].day:
        last += WINDOW * DAY
        ends.append(end_of(last, zone))
    return ends


def turning_points(events: Sequence[Event], milestones: Sequence[str]) -> Iterator[datetime]:
    """The instants of an account's first event and milestones, and the milliseconds before them."""
    first_times = {events[0].at}
    for name in milestones:
        first_times |= {event.at for event in [event for event in events if event.name == name][:1]}
    for at in first_times:
        yield from (at - naive.MILLISECOND, at)


def amid_days(events: Sequence[Event], chance: random.Random) -> Iterator[datetime]:
    """Instants within active days that have later events: at an event, just before it, and between two events."""
    days: dict[date, list[datetime]] = {}
    for event in events:
        times = days.setdefault(event.day, [])
        if event.at not in times:
            times.append(event.at)
    several = [times for times in days.values() if len(times) > 1]
    for times in [*chance.sample(several, min(BUSY_DAYS, len(several))), max(several, key=len)]:
        position = chance.randrange(1, len(times))
        before, at = times[position - 1], times[position]
        between = before + (at - before) / 2
        yield from (at, at - naive.MILLISECOND, between - timedelta(microseconds=between.microsecond % 1000))


def fading(events: Sequence[Event], now: datetime) -> Iterator[datetime]:
    """Both sides of every limit of recency, in the longest silences of an account's life up to now."""
    silences = sorted(
        ((after - before, before) for before, after in pairwise([*(e.at for e in events), now])), reverse=True
    )
    for silence, begin in silences[:SILENCES]:
        for days in (1, 3, 7, 14, 30):
            for at in (
                begin + days * DAY - naive.MILLISECOND,
                begin + days * DAY,
                begin + days * DAY + naive.MILLISECOND,
            ):
                if at < begin + silence:
                    yield at
