"""The band that people know of: it falls with each alert about a fall, and rises where the account has come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.alerts.week import CHANCE_POINTS, NIGHTS_TO_REARM, WEEK, counts
from healthscore.core.model import Band
from healthscore.core.scoring.standard import band

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthscore.core.model import DailyScore

LONGEST_WEEKEND = 2
"""Nights of a week that are a weekend's, at most."""
NIGHTS_KEPT = 30
"""How many nights before tonight the rules look back on."""


def band_changes(nights: Sequence[DailyScore]) -> tuple[bool, bool]:
    """Whether the last night brought a fall to a lower band than people know of, and whether it brought a recovery.

    The band that people know of falls with each fall that counts (`week.counts`), and rises where the account is back.
    So a band that flaps is found once, one that gets worse is found again, and so is a fall after a lasting recovery.

    A recovery is the first healthy night after up to three that were not, where there was something to recover from:
    a fall that was found, a first night that was not healthy, or two weeks without a healthy night.

    Args:
        nights: the kept nights, oldest first, tonight's last; at least one before tonight.

    Returns:
        Whether the band fell, and whether the account recovered.
    """
    ranks = [band(night.score).rank for night in nights]
    clearly = [band(max(night.score - CHANCE_POINTS, 0)).rank for night in nights]
    # Of what was told before the kept nights, their first week speaks: a band that more nights had than a weekend has.
    known = sorted(ranks[:WEEK])[LONGEST_WEEKEND] if len(nights) > NIGHTS_KEPT else ranks[0]
    unwell, fell, recovered = known < Band.HEALTHY.rank, False, False
    for end in range(2, len(nights) + 1):
        rank = ranks[end - 1]
        fell = rank < known and counts(nights[:end], _is_below(known))
        known = rank if fell else max(known, _back_in(ranks[:end], clearly[:end]))
        long = ranks[max(end - 2 * WEEK, 0) : end]
        unwell = unwell or fell or (len(long) == 2 * WEEK and max(long) < Band.HEALTHY.rank)
        before = ranks[max(end - 1 - NIGHTS_TO_REARM, 0) : end - 1]
        recovered = unwell and rank == Band.HEALTHY.rank and max(before) < rank
        unwell = unwell and not recovered
    return fell, recovered


def _is_below(known: int) -> Callable[[Sequence[DailyScore]], bool]:
    return lambda nights: band(nights[-1].score).rank < known


def _back_in(ranks: Sequence[int], clearly: Sequence[int]) -> int:
    """The band in which the account is back: clearly, for some nights in a row, or at all for two whole weeks."""
    some_nights = min(clearly[-NIGHTS_TO_REARM:]) if len(clearly) >= NIGHTS_TO_REARM else 0
    two_weeks = min(ranks[-2 * WEEK :]) if len(ranks) >= 2 * WEEK else 0
    return max(some_nights, two_weeks)
