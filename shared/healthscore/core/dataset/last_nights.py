"""What an account's last nights say of the newest one: the score before, the 30 scores, and the largest fall."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.account import RECENT_NIGHTS
from healthscore.core.explain.advice import LABELS
from healthscore.core.rounding import decimal_number
from healthscore.core.scoring.standard import weights_for
from healthscore.core.text import capitalized, signed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from healthscore.core.model import Component, DailyScore

FALL_DAYS = 7
"""A fall is one over so many days."""
NEAREST = 3
"""How many more days may have gone by, where there is no night of just that day."""
NO_SCORE = 255
"""Stands for a night without a score."""


class Fall(NamedTuple):
    """The component that has cost an account the most points."""

    component: Component
    then: int
    now: int
    since: date
    lost: Fraction
    """In points of the whole score, with tonight's weights."""

    @property
    def points(self) -> float:
        """The points that it has lost, to one decimal."""
        return decimal_number(self.lost)

    @property
    def sentence(self) -> str:
        """The same in a sentence that names nobody."""
        what = capitalized(LABELS[self.component])
        return f"{what} fell from {self.then} to {self.now} since {self.since}: {signed(-self.lost)} points."


def before(now: DailyScore, nights: Iterable[DailyScore]) -> DailyScore | None:
    """The newest of some nights before a night; None where there is none."""
    return max((one for one in nights if one.day < now.day), key=lambda one: one.day, default=None)


def packed(nights: Iterable[DailyScore], last: date) -> str:
    """The scores of the 30 nights up to a day, oldest first, a byte each, in base64."""
    scores = {one.day: one.score for one in nights}
    days = (last - timedelta(days=age) for age in range(RECENT_NIGHTS - 1, -1, -1))
    return b64encode(bytes(scores.get(day, NO_SCORE) for day in days)).decode()


def largest_fall(now: DailyScore, nights: Iterable[DailyScore]) -> Fall | None:
    """The fall over 7 days that has cost the most points; None where none fell, or there is no night to compare with.

    Args:
        now: the newest night.
        nights: nights, in any order. The one that is compared with is the nearest 7 to 10 days before.
    """
    last, first = now.day - timedelta(days=FALL_DAYS), now.day - timedelta(days=FALL_DAYS + NEAREST)
    then = max((one for one in nights if first <= one.day <= last), key=lambda one: one.day, default=None)
    if then is None:
        return None
    weights = weights_for(now.components)
    lost = {name: weights[name] * (then.components.get(name, 0) - score) for name, score in now.components.items()}
    name = max(lost, key=lambda one: lost[one], default=None)
    if name is None or lost[name] <= 0:
        return None
    return Fall(name, then.components[name], now.components[name], then.day, Fraction(lost[name], 100))
