"""Regime change: an account in steady use that is silent for ten of its usual pauses (signal rule 21)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.detectors.finding import Detector, Level, Schedule, Sighting
from healthscore.core.detectors.silence import Silence, silence_evidence, silence_span
from healthscore.core.detectors.wording import on
from healthscore.core.rounding import round_up
from healthscore.core.signals.active_days import QUARTER
from healthscore.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span
    from healthscore.core.signals.rhythm import Rhythm

NAME = "regime_change"
STEADY_WEEKS = 12
"""Of thirteen: one week of leave does not make a steady account irregular."""
FEWEST_DAYS = 26
"""Two days a week. With fewer, ten usual pauses are longer than what rule 22 waits for."""
FEWEST_SILENT = 7
"""A whole week, so that no weekend and no long weekend is taken for an end."""
PAUSES = 10
"""On steady accounts, ten usual pauses give 0.2 to 0.5 firings a year, about evenly from 26 to 91 active days."""


def is_regime_change(silence: Silence) -> bool:
    """Whether a silence is ten usual pauses of a steady account: five days a week on day 14, every day on day 10."""
    return (
        silence.days >= FEWEST_SILENT
        and silence.weeks_active >= STEADY_WEEKS
        and silence.days_active >= FEWEST_DAYS
        and silence.days * silence.days_active >= PAUSES * QUARTER
    )


def _spans(outlook: Outlook) -> Iterable[Span]:
    def limit(rhythm: Rhythm) -> int | None:
        if rhythm.weeks_active < STEADY_WEEKS or rhythm.days_active < FEWEST_DAYS:
            return None
        return max(FEWEST_SILENT, round_up(Fraction(PAUSES * QUARTER, rhythm.days_active)))

    return outlook.silent(limit, FEWEST_SILENT)


def _see(night: Night) -> Iterable[Sighting]:
    if night.silent < FEWEST_SILENT:
        return ()
    silence = Silence.of(night)
    return (Sighting(NAME, None, Level.RED, silence),) if is_regime_change(silence) else ()


def _sentence(sighting: Sighting) -> str:
    silence: Silence = sighting.figures
    pauses = silence.usual_pauses
    how_many = "ten" if pauses < PAUSES + 1 else f"{int(pauses)}"
    return (
        f"Used on {silence.days_active} of the 91 days before, and not at all for {counted(silence.days, 'day')} "
        f"since {on(silence.last)}: {how_many} of its usual pauses."
    )


DETECTOR = Detector(NAME, Schedule.NIGHTLY, _see, _sentence, silence_evidence, silence_span, _spans, of_young=True)
