"""People in what is shown and stored of an account's risk.

What is stored has a mark for each person in a text, and beside it a list of their ids. So the erasure of a person takes
an id out of a list, and names are looked up by whoever reads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthscore.core.detectors import champion
from healthscore.core.text import capitalized, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import TypedDict

    from healthscore.core.detectors.finding import Sighting

    class PersonName(TypedDict):
        """Somebody."""

        id: str | None
        """Null of somebody who was erased."""
        name: str | None
        """As far as identify calls say."""


_BEGIN, _END = "\ue000", "\ue001"
"""Characters that no text has which came from outside: names of events and features lose what is not seen."""
_MARK = re.compile(f"{_BEGIN}([0-9]+){_END}")
ERASED = "an erased user"


def people_in(sighting: Sighting) -> tuple[str, ...]:
    """The people whom a sighting names, by their ids."""
    return sighting.figures.champion.people if sighting.detector == champion.NAME else ()


def with_names(sighting: Sighting, names: Mapping[str, str]) -> Sighting:
    """A sighting whose sentence has people's names, where they are known, in the place of their ids."""
    return _with(sighting, [names.get(one, one) for one in people_in(sighting)])


def marked(sighting: Sighting) -> tuple[Sighting, tuple[str, ...]]:
    """A sighting with marks in the place of people, and their ids, in the order of the marks."""
    people = people_in(sighting)
    return _with(sighting, _marks(len(people))), people


def named(text: str, people: Sequence[str | None], names: Mapping[str, str]) -> str:
    """A text with names in the place of its marks.

    Args:
        text: as a sighting with marks gives it.
        people: the ids of its people; None for one who was erased.
        names: names by id, as far as they are known; of others the text has the id.
    """

    def name(found: re.Match[str]) -> str:
        person = people[int(found[1])]
        return ERASED if person is None else names.get(person, person)

    return _MARK.sub(name, text)


def of_nobody(text: str, people: int) -> str:
    """A text that names nobody: "The champion has not been seen", where so many people are marked in it."""
    if not people:
        return text
    return capitalized(text.replace(listed(_marks(people)), "the champion" if people == 1 else "the champions"))


def person_names(people: Sequence[str | None], names: Mapping[str, str]) -> list[PersonName]:
    """People by their ids, with their names."""
    return [{"id": one, "name": None if one is None else names.get(one)} for one in people]


def _marks(people: int) -> list[str]:
    return [f"{_BEGIN}{number}{_END}" for number in range(people)]


def _with(sighting: Sighting, people: Sequence[str]) -> Sighting:
    if not people:
        return sighting
    absence: champion.Absence = sighting.figures
    figures = absence._replace(champion=absence.champion._replace(people=tuple(people)))
    return sighting._replace(figures=figures)
