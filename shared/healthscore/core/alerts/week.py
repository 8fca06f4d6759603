"""The account's usual week: which lows it explains, so that a quiet weekend is no fall.

A score moves with the days of the week, and a little by chance. So a low counts as a fall where it goes beyond both, or
once it has lasted a weekend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.model import Component
from healthscore.core.scoring.standard import recency
from healthscore.core.time import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from healthscore.core.model import DailyScore

WEEK = 7
"""Days after which an account's usual week begins again."""
NIGHTS_TO_REARM = 3
"""How many nights in a row an account has to be back before the same change is alerted again."""
NIGHTS_TO_LAST = 3
"""A low on so many nights in a row has lasted longer than a weekend."""
CHANCE_POINTS = 5
"""A score may move by fewer points than these from week to week although nothing has changed."""
LASTING_POINTS = 2
"""The same for the mean of `NIGHTS_TO_LAST` nights."""
_WEEKEND_RECENCY = 80
"""What recency falls to in a weekend without use (scoring rule 9)."""


def counts(nights: Sequence[DailyScore], is_low: Callable[[Sequence[DailyScore]], bool]) -> bool:
    """Whether the low of the last night is a fall, and no part of the account's usual week.

    It counts at once where the score lies `CHANCE_POINTS` or more below that of the same weekday of both weeks before.
    It counts once it has lasted `NIGHTS_TO_LAST` nights, if these lie `LASTING_POINTS` or more below the same weekdays
    of the week before on average. It counts in any case once it has lasted a week. Where the night of a week before was
    not kept, as in an account's first week, the highest of the up to three nights before stands in for it.

    Args:
        nights: oldest first, on the last of which it is low; at least one before that.
        is_low: whether it is low on the last of the given nights.
    """
    if nights[-1].score <= _usual(nights, weeks=2) - CHANCE_POINTS:
        return True
    ends = range(len(nights) - WEEK + 1, len(nights) + 1)
    recent = ends[-NIGHTS_TO_LAST:]
    if recent[0] <= 1 or not all(is_low(nights[:end]) for end in recent):
        return False
    lost = sum(_usual(nights[:end], first=recent[0] - 1) - nights[end - 1].score for end in recent)
    return lost >= LASTING_POINTS * NIGHTS_TO_LAST or (ends[0] > 1 and all(is_low(nights[:end]) for end in ends))


def silence_counts(nights: Sequence[DailyScore], seen: datetime, at: datetime, days: int) -> bool:
    """Whether a silence that has reached the given days is more than the account's usual week explains.

    Args:
        nights: oldest first, on the last of which it is silent.
        seen: its last event.
        at: the instant of the last night.
        days: after how many days a silence is alerted. From a week on, no week explains it.
    """
    if days >= WEEK:
        return True
    week_before = nights[-1].day - WEEK * DAY
    usual = [night.components[Component.RECENCY] for night in nights if night.day == week_before]
    return recency(seen, at) < (usual[0] if usual else _WEEKEND_RECENCY)


def _usual(nights: Sequence[DailyScore], *, weeks: int = 1, first: int | None = None) -> int:
    """The score that the account's usual week has on the last night: the lowest of the same weekday of so many weeks.

    Args:
        nights: oldest first.
        weeks: how many weeks back.
        first: the position of the first night of a low, where it has lasted; the nights before it are the usual ones.
    """
    days = {nights[-1].day - week * WEEK * DAY for week in range(1, weeks + 1)}
    same_weekday = [night.score for night in nights if night.day in days]
    end = len(nights) - 1 if first is None else first
    return (
        min(same_weekday) if same_weekday else max(night.score for night in nights[max(end - NIGHTS_TO_REARM, 0) : end])
    )
