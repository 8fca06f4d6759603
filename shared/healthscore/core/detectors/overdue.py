"""Overdue: a silence longer than the account's rhythm explains (signal rule 22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.detectors.finding import Detector, Level, Schedule, Sighting
from healthscore.core.detectors.silence import FEWEST_DAYS, Silence, overdue_limit, silence_evidence, silence_span
from healthscore.core.detectors.wording import on
from healthscore.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "overdue"


def _spans(outlook: Outlook) -> Iterable[Span]:
    return outlook.silent(lambda rhythm: overdue_limit(outlook, rhythm), FEWEST_DAYS)


def _see(night: Night) -> Iterable[Sighting]:
    if night.silent < FEWEST_DAYS:  # no limit is shorter
        return ()
    silence = Silence.of(night)
    return (Sighting(NAME, None, Level.YELLOW, silence),) if silence.days >= silence.overdue_after else ()


def _sentence(sighting: Sighting) -> str:
    silence: Silence = sighting.figures
    silent = f"No event for {counted(silence.days, 'day')} (since {on(silence.last)})."
    if silence.cadence is not None:
        return f"{silent} It is expected every {counted(silence.cadence, 'day')}."
    return (
        f"{silent} Active in {silence.weeks_active} of the 13 weeks before, so {counted(silence.overdue_after, 'day')} "
        "are more than its rhythm explains."
    )


DETECTOR = Detector(
    NAME, Schedule.NIGHTLY, _see, _sentence, silence_evidence, silence_span, _spans, of_young=True, of_cadence=True
)
