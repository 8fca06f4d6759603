"""Multiple: signals of two families fall at once (signal rules 20 and 30)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.champion_state import ChampionState
from healthscore.core.detectors.drop import YELLOW_WEEKS, Drop, drop_evidence
from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.tickets import rise_of
from healthscore.core.detectors.wording import weeks_in_a_row
from healthscore.core.signals.calendar import monday, sunday
from healthscore.core.signals.model import BREADTH, Family, signal
from healthscore.core.text import capitalized, figure, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "multiple"
WEEKS = 2
"""A second family counts from its second unusual week on: one week falls together by chance."""
FAMILIES = 2
"""Users and active days fall together, as do value and features: only two families say that it is not one thing."""


class Falling(NamedTuple):
    """A signal that falls, and for how many unusual weeks."""

    key: str
    family: Family
    unusual: int


class Together(NamedTuple):
    """What falls at once, and whether the champion is there."""

    drops: tuple[tuple[str, Drop], ...]
    tickets: int | None
    """The open tickets, where they rise."""
    week: int
    champion: ChampionState


def fall_together(falling: Collection[Falling], *, tickets_rise: bool = False) -> bool:
    """Whether two families fall at once, one of them by more than features used for three weeks or more."""
    families = {item.family for item in falling if item.unusual >= WEEKS}
    if tickets_rise:
        families.add(Family.SUPPORT)
    return len(families) >= FAMILIES and any(item.unusual >= YELLOW_WEEKS and item.key != BREADTH for item in falling)


def level_of(champion: ChampionState) -> Level:
    """How grave it is: red where the champion is silent too (the response table)."""
    return Level.RED if champion is ChampionState.SILENT else Level.YELLOW


def _spans(outlook: Outlook) -> Iterable[Span]:
    """The nights on which something falls, cut where the champion falls silent, comes back, or becomes known."""
    for first, last in outlook.weeks.falling_nights():
        start, end = max(first, outlook.start), min(last, outlook.end)
        for since, after in pairwise((start, *outlook.champions.turns(start, end), end + 1)):
            yield since, after - 1


def _see(night: Night) -> Iterable[Sighting]:
    falling = [(key, drop) for key, drop in night.falling.items() if drop.falling >= WEEKS]
    if not falling:
        return ()
    rise = rise_of(night.tickets)
    together = [Falling(key, signal(key).family, drop.falling) for key, drop in falling]
    if not fall_together(together, tickets_rise=rise is not None):
        return ()
    champion = night.champion.state
    figures = Together(tuple(falling), rise and rise.now, night.week, champion)
    return (Sighting(NAME, None, level_of(champion), figures),)


def _sentence(sighting: Sighting) -> str:
    together: Together = sighting.figures
    parts = []
    for key, drop in together.drops:
        of = signal(key)
        fell = f"{figure(drop.usual(of))} a week → {figure(drop.now(of))}"
        parts.append(f"{of.title} ({fell}) for {weeks_in_a_row(drop.low_weeks)}")
    many = {2: "Two", 3: "Three", 4: "Four"}.get(len(parts), "Several")
    tickets = "" if together.tickets is None else f" Open tickets rise, to {together.tickets}."
    champion = " The champion is silent too." if together.champion is ChampionState.SILENT else ""
    if len(parts) == 1:
        return f"{capitalized(parts[0])}, while open tickets rise, to {together.tickets}.{champion}"
    return f"{many} things fall at once: {listed(parts)}.{tickets}{champion}"


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    together: Together = sighting.figures
    return tuple(drop_evidence(signal(key), drop) for key, drop in together.drops)


def _span(sighting: Sighting) -> tuple[int, int]:
    together: Together = sighting.figures
    return min(monday(drop.first) for _, drop in together.drops), sunday(together.week)


# The pattern is of whole weeks and changes with them. Whether the champion is silent may change every night.
DETECTOR = Detector(NAME, Schedule.NIGHTLY, _see, _sentence, _evidence, _span, _spans)
