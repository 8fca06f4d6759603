"""The response table: what to do about each pattern, and within how many working days (signal rules 32 and 34).

An action names people and numbers. A pattern that is only watched has none that reaches out.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors import (
    accelerating,
    champion,
    drop,
    fade,
    halved,
    multiple,
    onboarding,
    out_of_use,
    overdue,
    regime_change,
    repeated,
    tickets,
    volume_stops,
)
from healthscore.core.detectors.champion_state import ChampionState
from healthscore.core.detectors.finding import Level
from healthscore.core.signals.model import Family, signal
from healthscore.core.text import counted, figure, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthscore.core.detectors.drop import Drop
    from healthscore.core.detectors.finding import Sighting

TODAY, SOON, LATER = 0, 2, 5
"""Working days: what broke is mended today; whoever decides about the contract is called this week; all else can wait
until the week is over, since most of it is a talk that has to be prepared."""


class Response(NamedTuple):
    """What to do about a pattern."""

    action: str
    working_days: int | None
    """Within how many; None where nobody reaches out."""


NOTE = Response("Note it; no outreach.", None)


def response(gravest: Sighting) -> Response:
    """What to do, by the gravest reason of an episode."""
    return ACTIONS[gravest.detector](gravest)


def _fell(key: str, fall: Drop) -> str:
    of = signal(key)
    return f"{of.title} ({figure(fall.usual(of))} a week → {figure(fall.now(of))})"


def _drop(sighting: Sighting) -> Response:
    if sighting.level < Level.YELLOW:
        return NOTE
    fell = _fell(str(sighting.signal), sighting.figures)
    return Response(f"Reach out to check in: what changed in {fell}?", LATER)


def _multiple(sighting: Sighting) -> Response:
    together: multiple.Together = sighting.figures
    if together.champion is ChampionState.SILENT:
        return Response("Hold an executive alignment call, and confirm the intent to renew.", SOON)
    first = min(together.drops, key=lambda item: signal(item[0]).family is not Family.VALUE)
    action = f"Hold a working session to re-align on goals, beginning with {_fell(*first)}."
    if together.champion is ChampionState.UNKNOWN:
        action = f"{action} Find out who the champion is."
    return Response(action, LATER)


def _regime_change(sighting: Sighting) -> Response:
    silent = counted(sighting.figures.days, "day")
    return Response(
        f"Reach out today, after {silent} without an event: assume something broke, such as the login, the "
        "integration, a key or the billing.",
        TODAY,
    )


def _volume_stops(sighting: Sighting) -> Response:
    of, weeks = signal(str(sighting.signal)), sighting.figures.empty_weeks
    if sighting.level < Level.RED:
        return Response(f"Reach out to check in: {of.title} had nothing for {weeks} weeks. Does it still run?", LATER)
    return Response(
        f"Reach out today: {of.title} had nothing for {weeks} weeks. Assume something broke, such as the login, the "
        "integration, a key or the billing.",
        TODAY,
    )


def _out_of_use(sighting: Sighting) -> Response:
    silent = counted(sighting.figures.days, "day")
    return Response(f"Ask whether they have left: nobody has come for {silent}. If so, mark it churned, and why.", SOON)


def _overdue(sighting: Sighting) -> Response:
    silent = counted(sighting.figures.days, "day")
    return Response(f"Reach out to whoever used it last: nobody has for {silent}.", LATER)


def _repeated(sighting: Sighting) -> Response:
    rebound = figure(sighting.figures.rebound)
    return Response(
        f"Reach out: it falls again, after it had come back to {rebound} % at most. Ask what was not solved the last "
        "time.",
        LATER,
    )


def _fade(sighting: Sighting) -> Response:
    fade_: fade.Fade = sighting.figures
    return Response(
        f"Reach out: ask what the {counted(fade_.best, 'active day')} of its best quarter were for, and whether that "
        f"is done elsewhere now; it had {fade_.now} in the last 91 days.",
        LATER,
    )


def _halved(sighting: Sighting) -> Response:
    fall: halved.Halved = sighting.figures
    return Response(
        f"Reach out to check in: what changed in active days ({figure(fall.usual)} in four weeks → {fall.now})?", LATER
    )


def _accelerating(sighting: Sighting) -> Response:
    fall: accelerating.Decline = sighting.figures
    return Response(
        f"Reach out before it is gone: {fall.first}, {fall.second} and {fall.third} active days in four weeks each. "
        "Ask what replaces it.",
        LATER,
    )


def _champion(sighting: Sighting) -> Response:
    absence: champion.Absence = sighting.figures
    people = listed(absence.champion.people)
    if sighting.level < Level.YELLOW:
        return Response(f"Ask the {absence.others} others who stands in for {people}.", None)
    silent = counted(absence.champion.silent_days, "day")
    return Response(f"Find out where {people} is, after {silent} without an event, and who takes over.", LATER)


def _onboarding(sighting: Sighting) -> Response:
    if sighting.level < Level.YELLOW:
        return NOTE
    return Response(f"Finish the missing marks with them: {listed(sighting.figures.missing)}.", LATER)


def _tickets(_: Sighting) -> Response:
    return NOTE


ACTIONS: Mapping[str, Callable[[Sighting], Response]] = MappingProxyType(
    {
        regime_change.NAME: _regime_change,
        volume_stops.NAME: _volume_stops,
        out_of_use.NAME: _out_of_use,
        overdue.NAME: _overdue,
        multiple.NAME: _multiple,
        drop.NAME: _drop,
        halved.NAME: _halved,
        repeated.NAME: _repeated,
        accelerating.NAME: _accelerating,
        fade.NAME: _fade,
        champion.NAME: _champion,
        onboarding.NAME: _onboarding,
        tickets.NAME: _tickets,
    }
)
"""One row for each detector that can change a state."""
