"""The risk of an account as it is shown, and the people in it by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.decisions.decision import decide, disagreement, sentence
from healthscore.core.detectors import champion
from healthscore.core.signals.calendar import date_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import TypedDict

    from healthscore.core.decisions.life import Life
    from healthscore.core.detectors.finding import Sighting
    from healthscore.core.json_types import Day
    from healthscore.core.model import Band
    from healthscore.core.signals.model import Profile

    class RiskJson(TypedDict):
        """Whether an account's use weakens, and what to do about it."""

        state: str | None
        """`ok`, `monitor`, `yellow` or `red`; null where the customer has left, or there is nothing to say yet."""
        since: Day | None
        """The day in whose night it changed to that."""
        previous: str | None
        """The state before."""
        coverage: list[str]
        """The signals that apply."""
        disagrees: str | None
        """One line where the score's band says otherwise."""
        reason: str | None
        """The gravest reason, in one sentence."""
        action: str | None
        due: Day | None

    class PersonName(TypedDict):
        """Somebody."""

        id: str
        name: str | None
        """As far as identify calls say."""


def risk_json(
    life: Life, profile: Profile, coverage: Sequence[str], band: Band | None, names: Mapping[str, str]
) -> RiskJson:
    """The risk as of a night.

    Args:
        life: the fold of the account's nights up to it.
        profile: as the night knows it.
        coverage: the keys of the signals that apply.
        band: the band of the score as of then; None where there is none.
        names: the names of people by their ids, as far as they are known.
    """
    decision = None
    if life.changes:
        change = life.changes[-1]
        decision = decide(change._replace(reasons=tuple(with_names(one, names) for one in change.reasons)), profile)
    return {
        "state": life.state.word if life.state is not None else None,
        "since": date_of(decision.night).isoformat() if decision else None,
        "previous": life.previous.word if life.previous is not None else None,
        "coverage": list(coverage),
        "disagrees": disagreement(band, life.state),
        "reason": sentence(decision.reasons[0]) if decision and decision.reasons else None,
        "action": decision.action if decision else None,
        "due": decision.due.isoformat() if decision and decision.due else None,
    }


def people_in(sighting: Sighting) -> tuple[str, ...]:
    """The people whom a sighting names, by their ids."""
    return sighting.figures.champion.people if sighting.detector == champion.NAME else ()


def with_names(sighting: Sighting, names: Mapping[str, str]) -> Sighting:
    """A sighting whose sentence has people's names, where they are known, in the place of their ids."""
    if sighting.detector != champion.NAME:
        return sighting
    absent: champion.Absence = sighting.figures
    people = tuple(names.get(one, one) for one in absent.champion.people)
    return sighting._replace(figures=absent._replace(champion=absent.champion._replace(people=people)))


def person_names(people: Sequence[str], names: Mapping[str, str]) -> list[PersonName]:
    """People by their ids, with their names."""
    return [{"id": one, "name": names.get(one)} for one in people]
