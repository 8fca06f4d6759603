"""First stage: the rules that find which changes an account's newest snapshot brings.

Every rule looks for a change and never for a state: what was true on the nights before is no change. Nor is what the
account's usual week explains (`week.py`). The rules see the kept nights only; a night that was not run counts neither
for nor against anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.alerts.bands import NIGHTS_KEPT, band_changes
from healthscore.core.alerts.change import Change
from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.week import CHANCE_POINTS, NIGHTS_TO_REARM, WEEK, counts, silence_counts
from healthscore.core.model import Component, Snapshot
from healthscore.core.scoring.standard import band
from healthscore.core.scoring.trend import trend
from healthscore.core.time import DAY, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from fractions import Fraction

    from healthscore.core.alerts.settings import AlertSettings
    from healthscore.core.model import DailyScore


def evaluate(
    recent: Sequence[DailyScore], previous: Snapshot | None, current: Snapshot, settings: AlertSettings
) -> list[Change]:
    """The changes that tonight's snapshot brought.

    Args:
        recent: kept scores of nights before tonight; later ones in it are ignored.
        previous: the last snapshot before tonight's; None on an account's first night, which never alerts.
        current: tonight's snapshot.
        settings: which rules are on, and from which size of change.

    Returns:
        At most one change of a kind, the most urgent kind first.
    """
    if previous is None:
        return []
    nights = nights_of(recent, previous, current)
    high = _highest(nights, WEEK)
    fell, recovered = band_changes(nights)
    fallen = _falls(nights, settings, band_fell=fell)
    if fallen and _alerted_lately(nights, settings):
        fallen = []
    found = []
    if AlertKind.BAND_FELL in fallen:
        found.append(Change(AlertKind.BAND_FELL, high.score, high.day))
    if AlertKind.SCORE_FELL in fallen:
        top = _highest(nights, settings.score_fell.days)
        found.append(Change(AlertKind.SCORE_FELL, top.score, top.day))
    if AlertKind.DECLINING in fallen:
        found.append(Change(AlertKind.DECLINING, current.score + _slide(nights), high.day))
    if settings.silent.enabled and _fell_silent(nights, previous, current, settings.silent.days):
        found.append(Change(AlertKind.SILENT, high.score, high.day))
    if settings.recovered.enabled and recovered:
        low = _lowest(nights)
        found.append(Change(AlertKind.RECOVERED, low.score, low.day))
    return found


def last_seen(snapshot: Snapshot) -> datetime | None:
    """When the account had its last event before the snapshot was taken; None if it never had one."""
    text = snapshot.facts[Component.RECENCY]["last_seen_at"]
    return parse_instant(text) if text else None


def nights_of(recent: Sequence[DailyScore], previous: Snapshot, current: Snapshot) -> list[DailyScore]:
    """The kept nights, oldest first: at most 30 before tonight, and tonight's last.

    `recent` may be in any order; nights of tonight's day or later in it are ignored.
    """
    by_day = {night.day: night for night in (*recent, previous.daily) if night.day < current.day}
    return [*(by_day[day] for day in sorted(by_day)[-NIGHTS_KEPT:]), current.daily]


def _before(nights: Sequence[DailyScore], days: int) -> list[DailyScore]:
    """The nights of the given number of days before the last night's day."""
    *earlier, last = nights
    return [night for night in earlier if last.day - night.day <= days * DAY]


def _highest(nights: Sequence[DailyScore], days: int) -> DailyScore:
    """The night with the highest score of the days before the last night, the latest of equals.

    Where no night was kept in those days, it is the last one before tonight.
    """
    return max(_before(nights, days) or [nights[-2]], key=lambda night: (night.score, night.day))


def _lowest(nights: Sequence[DailyScore]) -> DailyScore:
    return min(_before(nights, WEEK) or [nights[-2]], key=lambda night: (night.score, -night.day.toordinal()))


def _falls(nights: Sequence[DailyScore], settings: AlertSettings, *, band_fell: bool) -> list[AlertKind]:
    """The kinds of the falls of the score that the last night brought."""
    kinds = [AlertKind.BAND_FELL] if settings.band_fell.enabled and band_fell else []
    drop, slide = settings.score_fell, settings.declining
    if drop.enabled and _turned_true(nights, lambda before: _drop(before, drop.days) >= drop.points, drop.points):
        kinds.append(AlertKind.SCORE_FELL)
    if slide.enabled and _turned_true(nights, lambda before: _slide(before) >= slide.points, slide.points):
        kinds.append(AlertKind.DECLINING)
    return kinds


def _alerted_lately(nights: Sequence[DailyScore], settings: AlertSettings) -> bool:
    """Whether one of the last few nights brought a fall already to about tonight's score: the same trouble."""
    tonight = nights[-1]
    return any(
        tonight.score > nights[end - 1].score - CHANCE_POINTS
        and band(tonight.score).rank >= band(nights[end - 1].score).rank
        and _falls(nights[:end], settings, band_fell=band_changes(nights[:end])[0])
        for end in range(max(len(nights) - NIGHTS_TO_REARM, 2), len(nights))
    )


def _turned_true(nights: Sequence[DailyScore], holds: Callable[[Sequence[DailyScore]], bool], points: int) -> bool:
    """Whether a fall by so many points, which holds on the last night, counts for the first time since it did not hold.

    It was not so for three nights in a row before it is found again; a size that chance alone reaches, for two weeks.
    """
    if not holds(nights):
        return False
    rearmed_after = NIGHTS_TO_REARM if points >= CHANCE_POINTS else 2 * WEEK
    found, without = False, 0
    for end in range(2, len(nights)):
        if holds(nights[:end]):
            found, without = found or counts(nights[:end], holds), 0
        else:
            without += 1
            found = found and without < rearmed_after
    return not found and counts(nights, holds)


def _drop(nights: Sequence[DailyScore], days: int) -> int:
    """Points lost since the highest score of the given number of days before."""
    return max((night.score for night in _before(nights, days)), default=nights[-1].score) - nights[-1].score


def _slide(nights: Sequence[DailyScore]) -> Fraction | int:
    """Points by which the last night lies below the mean of the week before it; 0 where the trend is unknown."""
    now = trend(nights[-1].score, [night.score for night in _before(nights, WEEK)])
    return 0 if now.delta is None else -now.delta


def _fell_silent(nights: Sequence[DailyScore], previous: Snapshot, current: Snapshot, days: int) -> bool:
    """Whether tonight is the first night on which the silence since the last event has reached the given days.

    Each silence passes that length once, so it is found once, even if nights were skipped in between. A night on which
    the account's usual week explains the silence is passed over.
    """
    seen = last_seen(current)
    if seen is None or current.as_of - seen < days * DAY:
        return False
    for end, night in enumerate(nights[:-1], start=1):
        # Nights are scored at the same hour; of the last one, the instant is known.
        at = previous.as_of if night.day == previous.day else current.as_of - (current.day - night.day)
        if at - seen >= days * DAY and silence_counts(nights[:end], seen, at, days):
            return False
    return silence_counts(nights, seen, current.as_of, days)
