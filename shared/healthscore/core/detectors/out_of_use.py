"""Out of use: a silence twice as long as the account's rhythm explains (signal rule 22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.detectors.finding import Detector, Level, Schedule, Sighting
from healthscore.core.detectors.silence import (
    FEWEST_DAYS,
    Silence,
    out_of_use_after,
    overdue_limit,
    silence_evidence,
    silence_span,
)
from healthscore.core.detectors.wording import on
from healthscore.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "out_of_use"


def _spans(outlook: Outlook) -> Iterable[Span]:
    return outlook.silent(lambda rhythm: out_of_use_after(overdue_limit(outlook, rhythm)), 2 * FEWEST_DAYS)


def _see(night: Night) -> Iterable[Sighting]:
    if night.silent < 2 * FEWEST_DAYS:  # no limit is shorter
        return ()
    silence = Silence.of(night)
    return (Sighting(NAME, None, Level.RED, silence),) if silence.days >= silence.out_of_use_after else ()


def _sentence(sighting: Sighting) -> str:
    silence: Silence = sighting.figures
    explained = (
        "twice what its rhythm explains"
        if silence.out_of_use_after == 2 * silence.overdue_after
        else (f"more than {counted(silence.out_of_use_after, 'day')} without one")
    )
    return f"No event for {counted(silence.days, 'day')} (since {on(silence.last)}), {explained}."


DETECTOR = Detector(
    NAME, Schedule.NIGHTLY, _see, _sentence, silence_evidence, silence_span, _spans, of_young=True, of_cadence=True
)
