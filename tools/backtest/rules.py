"""What is measured: early warning as it runs, and the simpler rules that it has to be better than.

Each rule says of an account, for each of its days, how grave it is in the night after: 0, or a level.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from healthscore.core.decisions.life import life
from healthscore.core.detectors.finding import Detector, Level, Schedule, Sighting
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.model import Component
from healthscore.core.scoring.standard import (
    AT_RISK_FROM,
    WINDOW_DAYS,
    activity,
    engagement,
    milestones,
    overall,
    recency,
)
from healthscore.core.scoring.trend import Direction, trend
from tools.backtest.accounts import inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from healthscore.core.decisions.life import Life
    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.settings import DetectorSettings
    from healthscore.core.signals.excused import Excused
    from tools.backtest.accounts import Account

NOON = timedelta(hours=12)
"""The files have days and no hours: the last event of a day is taken to be at noon, and a night scores midnight."""
TREND_DAYS = 7


def judge(
    account: Account, excused: Excused, settings: DetectorSettings, detectors: Sequence[Detector] = DETECTORS
) -> Life:
    """The nights of an account, by the product's own fold."""
    return life(inputs(account, excused), settings, account.zero + account.end - 1, detectors)


def levels(account: Account, found: Life) -> bytes:
    """The level of each night from the changes of state."""
    nights = bytearray(account.end)
    for change in found.changes:
        start = change.day - account.zero
        nights[start:] = bytes([change.after or 0]) * (account.end - start)
    return bytes(nights)


def ended_by_recovery(name: str, sees: Callable[[Night], bool]) -> tuple[Detector]:
    """A rule on its own, of which the alert ends as an episode does, and not with the first night without it."""

    def see(night: Night) -> Iterable[Sighting]:
        return (Sighting(name, None, Level.YELLOW, None),) if sees(night) else ()

    return (Detector(name, Schedule.NIGHTLY, see, str, lambda _: (), lambda _: (0, 0), of_young=True),)


def not_seen(account: Account, days: int) -> bytes:
    """On while the last event is so many days ago."""
    nights = bytearray(account.end)
    active = [row[0] for row in account.rows]
    for day, following in zip(active, [*active[1:], account.end], strict=True):
        start = min(day + days, following)
        nights[start:following] = b"\x02" * max(0, following - start)
    return bytes(nights[: account.end])


def shrunk(account: Account, recent: int, before: int, fewest: int) -> bytes:
    """On while some days hold at most half of the active days of those before them, in proportion.

    Args:
        account: the account.
        recent: the number of days that are looked at.
        before: the number of days before them.
        fewest: the active days that those before hold at least.
    """
    up_to = _up_to(account, [1] * len(account.rows))
    return bytes(
        2
        * (
            (was := _sum(up_to, day - recent - before, day - recent)) >= fewest
            and 2 * before * _sum(up_to, day - recent, day) <= was * recent
        )
        for day in range(account.end)
    )


def has_shrunk(night: Night) -> bool:
    """The rule of 21 days beside the 84 before them, which hold 12 active ones at least, for a night of the fold."""
    now, was = night.days.count(night.day - 20, night.day), night.days.count(night.day - 104, night.day - 21)
    return was >= 12 and 2 * 84 * now <= 21 * was  # noqa: PLR2004  (named above)


def is_unseen(night: Night) -> bool:
    """The rule of 30 days without an event, for a night of the fold."""
    return night.rhythm is not None and night.day - night.rhythm.last >= 30  # noqa: PLR2004  (named above)


def scores(account: Account) -> list[int]:
    """The standard score of each night, without CRM; milestones are the first code, test, and merge or review."""
    days = [row[0] for row in account.rows]
    events, sessions, seconds, active = (
        _up_to(account, values) for values in (*list(zip(*account.rows, strict=True))[1:], [1] * len(days))
    )
    last = _last_active(account)
    return [
        _score(
            _sum(events, day - WINDOW_DAYS, day),
            _sum(sessions, day - WINDOW_DAYS, day),
            _sum(seconds, day - WINDOW_DAYS, day),
            _sum(active, day - WINDOW_DAYS, day),
            reached=sum(first <= day for first in account.milestones),
            silent=day - last[day],
        )
        for day in range(account.end)
    ]


def low_score(night_scores: Sequence[int]) -> bytes:
    """On while the score is critical."""
    return bytes(2 * (score < AT_RISK_FROM) for score in night_scores)


def declining_score(night_scores: Sequence[int]) -> bytes:
    """On while the score's trend is declining."""
    return bytes(
        2 * (trend(score, night_scores[max(0, day - TREND_DAYS) : day]).direction is Direction.DECLINING)
        for day, score in enumerate(night_scores)
    )


@cache
def _score(events: int, sessions: int, seconds: int, active: int, *, reached: int, silent: int) -> int:
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    return overall(
        {
            Component.ACTIVITY: activity(events),
            Component.ENGAGEMENT: engagement(sessions, events, seconds * 1000, active),
            Component.MILESTONES: milestones(reached),
            Component.RECENCY: recency(midnight - NOON - timedelta(days=silent), midnight),
        }
    )


def _up_to(account: Account, values: Sequence[int]) -> list[int]:
    """Sums of a figure of the active days before each day."""
    by_day = [0] * (account.end + 1)
    for row, value in zip(account.rows, values, strict=True):
        if row[0] < len(by_day):
            by_day[row[0]] = value
    return [0, *accumulate(by_day)]


def _sum(up_to: Sequence[int], after: int, until: int) -> int:
    """The sum of the days after one, up to and with another."""
    return up_to[until + 1] - up_to[max(0, after + 1)]


def _last_active(account: Account) -> list[int]:
    last, found = 0, []
    active = {row[0] for row in account.rows}
    for day in range(account.end):
        last = day if day in active else last
        found.append(last)
    return found
