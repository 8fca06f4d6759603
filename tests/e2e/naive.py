"""The standard score, computed directly from a file of raw events, with one pass over all of them for each score.

This follows the text of the scoring rules (docs/scoring.md) and shares no code with the product, so that an error in
one of them shows as a difference. It uses whole numbers and fractions, and stores, indexes and sums up nothing in
advance.

The file of real events has no session ids, anonymous ids or CRM facts, so the rules about these are missing here.
"""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MILLISECOND = timedelta(milliseconds=1)
WEIGHTS = {"activity": 40, "engagement": 30, "milestones": 20, "recency": 10}
COLORS = {"healthy": "green", "at_risk": "amber", "critical": "red"}
FIELDS = {"event_id", "account_id", "user_id", "name", "timestamp"}


@dataclass(frozen=True)
class Event:
    """One raw event; `day` is its calendar day in the workspace's zone."""

    at: datetime
    day: date
    name: str
    user: str | None


@dataclass(frozen=True)
class Score:
    """A score and the figures behind it."""

    as_of: datetime
    day: date
    events: int
    sessions: int
    average_session_seconds: Fraction
    average_events_per_session: Fraction
    days_active: int
    last_seen: datetime | None
    reached: tuple[tuple[datetime, str], ...]
    terms: dict[str, Fraction]
    """The three parts of engagement, in exact points."""
    components: dict[str, int]
    score: int
    band: str


def read_file(path: Path) -> list[dict[str, str]]:
    """The raw events of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    unknown = set().union(*rows) - FIELDS
    if unknown:
        raise ValueError(f"the naive model has no rule for {unknown}")
    return rows


def read_events(rows: Sequence[dict[str, str]], zone: tzinfo) -> dict[str, list[Event]]:
    """Each account's distinct events, in order of time."""
    accounts: dict[str, dict[str, Event]] = {}
    for row in rows:
        at = datetime.fromisoformat(row["timestamp"]).astimezone(UTC)
        event = Event(at, at.astimezone(zone).date(), row["name"], row.get("user_id"))
        accounts.setdefault(row["account_id"], {})[row["event_id"]] = event
    return {account: sorted(events.values(), key=lambda event: event.at) for account, events in accounts.items()}


def score(events: Sequence[Event], as_of: datetime, milestones: Sequence[str], zone: tzinfo) -> Score:
    """The score of an account with these events, in order of time, as of an instant."""
    today = as_of.astimezone(zone).date()
    past = [event for event in events if event.at <= as_of]
    window = [event for event in past if today - timedelta(days=29) <= event.day <= today]
    runs = sessions(window)
    seconds = Fraction(sum(((run[-1] - run[0]) // MILLISECOND for run in runs), start=0), 1000 * (len(runs) or 1))
    depth = Fraction(sum(map(len, runs)), len(runs) or 1)
    days_active = len({event.day for event in window})
    last_seen = past[-1].at if past else None
    reached = sorted(
        (min(event.at for event in past if event.name == name), name)
        for name in {event.name for event in past} & set(milestones)
    )
    terms = {
        "length": min(seconds / 300, Fraction(1)) * 40,
        "depth": min(depth / 10, Fraction(1)) * 40,
        "days": Fraction(days_active, 30) * 20,
    }
    components = {
        "activity": activity(len(window)),
        "engagement": half_up(sum(terms.values())),
        "milestones": (0, 50, 75, 100)[min(len(reached), 3)],
        "recency": recency(as_of - last_seen) if last_seen else 0,
    }
    total = half_up(weighted(components))
    return Score(
        as_of=as_of,
        day=today,
        events=len(window),
        sessions=len(runs),
        average_session_seconds=seconds,
        average_events_per_session=depth,
        days_active=days_active,
        last_seen=last_seen,
        reached=tuple(reached),
        terms=terms,
        components=components,
        score=total,
        band="healthy" if total >= 70 else "at_risk" if total >= 40 else "critical",
    )


def sessions(events: Sequence[Event]) -> list[list[datetime]]:
    """A user's runs of events on one day with no gap of more than 30 minutes; `events` are in order of time."""
    runs: list[list[datetime]] = []
    open_runs: dict[tuple[str, date], list[datetime]] = {}
    for event in events:
        if event.user is None:
            continue
        run = open_runs.get((event.user, event.day))
        if run is None or event.at - run[-1] > timedelta(minutes=30):
            run = open_runs[event.user, event.day] = []
            runs.append(run)
        run.append(event.at)
    return runs


def activity(events: int) -> int:
    """Twenty points for each of the tiers that so many events reach."""
    return sum(20 for least in (1, 6, 16, 31, 51) if events >= least)


def recency(silence: timedelta) -> int:
    """100 for less than a day; from one day on, 20 less for each limit that is exceeded."""
    if silence < timedelta(days=1):
        return 100
    return 80 - sum(20 for days in (3, 7, 14, 30) if silence > timedelta(days=days))


def weighted(components: dict[str, int]) -> Fraction:
    """The sum of the components' points, before it is rounded to the score."""
    return Fraction(sum(WEIGHTS[name] * value for name, value in components.items()), 100)


def trend(now: int, week: Sequence[int]) -> dict[str, object]:
    """The trend of a score against the snapshots of the seven days before, as the health answer shows it."""
    if len(week) < 3:
        return {"direction": "unknown", "delta": None, "baseline": None, "snapshots": len(week)}
    baseline = Fraction(sum(week), len(week))
    delta = now - baseline
    direction = "improving" if delta >= 10 else "declining" if delta <= -10 else "steady"
    return {
        "direction": direction,
        "delta": shown(delta),
        "baseline": shown(baseline),
        "snapshots": len(week),
    }


def half_up(value: Fraction | int) -> int:
    """The nearest whole number, halves upwards."""
    return math.floor(value + Fraction(1, 2))


def shown(value: Fraction) -> Fraction:
    """A figure as answers show it: rounded half up to one decimal."""
    return Fraction(half_up(value * 10), 10)
