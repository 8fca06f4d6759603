"""A silence beside the rhythm before it: what the rules 21 and 22 judge."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Evidence
from healthscore.core.rounding import decimal_number, round_up
from healthscore.core.signals.active_days import QUARTER

if TYPE_CHECKING:
    from healthscore.core.detectors.finding import Sighting
    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.signals.rhythm import Rhythm

WEEK = 7
WEEKLY_FROM = 8
"""Active in most of the thirteen weeks: from here on, weeks tell more than a fixed limit does."""
ALLOWED_EMPTY_WEEKS = 16
"""Three weeks, and one more for each week of thirteen that was empty: false alerts come out even over all rhythms."""
FEWEST_DAYS = 21
"""However often an account is expected, it is not overdue before three weeks."""
MOST_FURTHER_DAYS = 45
"""Out of use comes as many days later as overdue did, but not later than that: longer, nobody could act on it."""
OF_CADENCE = Fraction(3, 2)
"""Half of its cadence late: a quarterly use may slip by weeks, and not by a quarter."""


class Silence(NamedTuple):
    """How long an account has been silent, and how regular it was before."""

    last: int
    """The last active day."""
    day: int
    """The last complete day."""
    days: int
    """Silent days, without excused weeks."""
    weeks_active: int
    days_active: int
    overdue_after: int
    cadence: int | None = None

    @classmethod
    def of(cls, night: Night) -> Silence:
        """The silence of a night; the account has been active before it."""
        rhythm = night.rhythm
        if rhythm is None:
            raise ValueError("an account without an event has no silence")
        cadence = night.profile.cadence
        return cls(
            last=rhythm.last,
            day=night.day,
            days=night.silent,
            weeks_active=rhythm.weeks_active,
            days_active=rhythm.days_active,
            overdue_after=overdue_after(rhythm.weeks_active, cadence, night.settings.overdue_irregular),
            cadence=cadence,
        )

    @property
    def out_of_use_after(self) -> int:
        """After how many days it is out of use."""
        return out_of_use_after(self.overdue_after)

    @property
    def usual_pauses(self) -> Fraction:
        """The silence in usual pauses, of 91 days divided by the active ones each."""
        return Fraction(self.days * self.days_active, QUARTER)


def overdue_after(weeks_active: int, cadence: int | None, irregular: int = MOST_FURTHER_DAYS) -> int:
    """After how many silent days an account is overdue (signal rule 22).

    Args:
        weeks_active: in how many of the thirteen weeks up to its last active day it was active.
        cadence: after how many days it is expected; None where it is expected every week.
        irregular: the limit of an account without a weekly rhythm, and the longest of all.
    """
    if cadence is not None:
        return max(FEWEST_DAYS, round_up(OF_CADENCE * cadence))
    if weeks_active < WEEKLY_FROM:
        return irregular
    return min(WEEK * (ALLOWED_EMPTY_WEEKS - weeks_active), irregular)


def out_of_use_after(overdue: int) -> int:
    """After how many silent days an account is out of use that is overdue after so many."""
    return overdue + min(overdue, MOST_FURTHER_DAYS)


def overdue_limit(outlook: Outlook, rhythm: Rhythm) -> int:
    """After how many silent days an account is overdue, by its rhythm, its profile and the settings."""
    return overdue_after(rhythm.weeks_active, outlook.profile.cadence, outlook.settings.overdue_irregular)


def silence_evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    """The figures of a silence and of the rhythm before it."""
    silence: Silence = sighting.figures
    usual = decimal_number(Fraction(QUARTER, silence.days_active)) if silence.days_active else None
    weeks, days = (
        "Weeks with an event, of the 13 up to the last one",
        "Days with an event, of the 91 up to the last one",
    )
    return (
        Evidence("Days without an event", "days", silence.day, usual, silence.days, since=silence.last),
        Evidence(weeks, "weeks", silence.last, None, silence.weeks_active),
        Evidence(days, "days", silence.last, None, silence.days_active),
    )


def silence_span(sighting: Sighting) -> tuple[int, int]:
    """From the last active day on."""
    silence: Silence = sighting.figures
    return silence.last, silence.day
