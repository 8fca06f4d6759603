"""First stage: the rules that find which changes an account's newest snapshot brings.

Every rule looks for a change and never for a state: what was true on the nights before is no change. The rules see the
kept nights only; a night that was not run counts neither for nor against anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.alerts.change import Change
from healthscore.core.alerts.model import AlertKind
from healthscore.core.model import Band, Component, Snapshot
from healthscore.core.scoring.standard import band
from healthscore.core.scoring.trend import trend
from healthscore.core.time import DAY, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from fractions import Fraction

    from healthscore.core.alerts.settings import AlertSettings
    from healthscore.core.model import DailyScore

NIGHTS_KEPT = 30
"""How many nights before tonight the rules look back on."""
NIGHTS_TO_REARM = 3
"""How many nights in a row an account has to be back before the same change is alerted again."""
WEEK = 7
"""Days before tonight on which a change is looked for, where the settings name no other number."""


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
    found = []
    if settings.band_fell.enabled and _band_fell(nights):
        found.append(Change(AlertKind.BAND_FELL, high.score, high.day))
    if settings.score_fell.enabled and _turned_true(
        nights, lambda before: _drop(before, settings.score_fell.days) >= settings.score_fell.points
    ):
        top = _highest(nights, settings.score_fell.days)
        found.append(Change(AlertKind.SCORE_FELL, top.score, top.day))
    if settings.declining.enabled and _turned_true(nights, lambda before: _slide(before) >= settings.declining.points):
        found.append(Change(AlertKind.DECLINING, current.score + _slide(nights), high.day))
    if settings.silent.enabled and _fell_silent(previous, current, settings.silent.days):
        found.append(Change(AlertKind.SILENT, high.score, high.day))
    if settings.recovered.enabled and _recovered(nights):
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


def _turned_true(nights: Sequence[DailyScore], holds: Callable[[Sequence[DailyScore]], bool]) -> bool:
    """Whether something holds on the last night and held on none of the three nights before it."""
    if not holds(nights):
        return False
    earlier = range(max(len(nights) - NIGHTS_TO_REARM, 1), len(nights))
    return not any(holds(nights[:end]) for end in earlier)


def _drop(nights: Sequence[DailyScore], days: int) -> int:
    """Points lost since the highest score of the given number of days before."""
    return max((night.score for night in _before(nights, days)), default=nights[-1].score) - nights[-1].score


def _slide(nights: Sequence[DailyScore]) -> Fraction | int:
    """Points by which the last night lies below the mean of the week before it; 0 where the trend is unknown."""
    now = trend(nights[-1].score, [night.score for night in _before(nights, WEEK)])
    return 0 if now.delta is None else -now.delta


def _band_fell(nights: Sequence[DailyScore]) -> bool:
    """Whether the last night brought a lower band than the one that people know of.

    The band that people know of falls with each alert, and rises only to where the account has stayed for three nights:
    to the lowest band of these nights. At first it is the band of the first kept night. So a band that flaps is found
    once, one that gets worse is found again, and so is a fall after a lasting recovery.
    """
    ranks = [band(night.score).rank for night in nights]
    known, fell = ranks[0], False
    for end, rank in enumerate(ranks[1:], start=2):
        fell = rank < known
        lasting = min(ranks[max(end - NIGHTS_TO_REARM, 0) : end]) if end >= NIGHTS_TO_REARM else known
        known = rank if fell else max(known, lasting)
    return fell


def _recovered(nights: Sequence[DailyScore]) -> bool:
    """Whether the account is healthy after up to three nights, at least one, on each of which it was not."""
    *earlier, last = (band(night.score) for night in nights)
    return last is Band.HEALTHY and Band.HEALTHY not in earlier[-NIGHTS_TO_REARM:]


def _fell_silent(previous: Snapshot, current: Snapshot, days: int) -> bool:
    """Whether the silence since the last event reached the given days after the previous snapshot was taken.

    Each silence passes that length once, so it is found once, even if nights were skipped in between.
    """
    seen = last_seen(current)
    return seen is not None and current.as_of - seen >= days * DAY > previous.as_of - seen
