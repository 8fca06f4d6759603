"""Open tickets rise (signal rule 30). No data with outcomes had tickets: this rule is reasoned, not measured."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.rounding import decimal_number
from healthscore.core.signals.calendar import monday, sunday
from healthscore.core.signals.model import TICKETS
from healthscore.core.signals.weeks import BASELINE_WEEKS
from healthscore.core.text import figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "tickets"
WEEKS = 2
"""Two week's ends in a row: a queue that one busy day fills is empty a week later."""
TIMES = 2
"""Twice the usual, as half of the usual is a low week."""
FEWEST_ABOVE = 2
"""And two tickets above it: from none to one is twice as many, and says nothing."""


class Rise(NamedTuple):
    """Open tickets beside the mean of the twelve week's ends before."""

    now: int
    before: int
    """The sum of the twelve week's ends."""
    week: int = 0


def rise_of(ends: Sequence[int]) -> Rise | None:
    """The rise of the tickets open at the ends of complete weeks, oldest first; None where they do not rise."""
    if len(ends) < WEEKS + BASELINE_WEEKS:
        return None
    before = sum(ends[-WEEKS - BASELINE_WEEKS : -WEEKS])
    risen = all(
        BASELINE_WEEKS * open_ >= TIMES * before and BASELINE_WEEKS * (open_ - FEWEST_ABOVE) >= before
        for open_ in ends[-WEEKS:]
    )
    return Rise(ends[-1], before) if risen else None


def _spans(outlook: Outlook) -> Iterable[Span]:
    return outlook.weeks.ticket_nights(lambda ends: rise_of(ends) is not None)


def _see(night: Night) -> Iterable[Sighting]:
    rise = rise_of(night.tickets)
    return (Sighting(NAME, TICKETS, Level.MONITOR, rise._replace(week=night.week)),) if rise else ()


def _sentence(sighting: Sighting) -> str:
    rise: Rise = sighting.figures
    usual = figure(Fraction(rise.before, BASELINE_WEEKS))
    return f"{rise.now} tickets are open; at the ends of the 12 weeks before, it was {usual} on average."


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    rise: Rise = sighting.figures
    usual = decimal_number(Fraction(rise.before, BASELINE_WEEKS))
    return (Evidence("Open tickets", "tickets", sunday(rise.week), usual, rise.now),)


def _span(sighting: Sighting) -> tuple[int, int]:
    return monday(sighting.figures.week - 1), sunday(sighting.figures.week)


DETECTOR = Detector(NAME, Schedule.WEEKLY, _see, _sentence, _evidence, _span, _spans)
