"""People in what is stored of an account's risk: texts hold a mark for each, and beside them is a list of their ids.

So the erasure of a person takes an id out of a list, and names are looked up by whoever reads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthscore.core.detectors import champion
from healthscore.core.text import capitalized, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.detectors.finding import Sighting

_BEGIN, _END = "\ue000", "\ue001"
"""Characters that no text has which came from outside: names of events and features lose what is not seen."""
_MARK = re.compile(f"{_BEGIN}([0-9]+){_END}")
ERASED = "an erased user"


def marked(sighting: Sighting) -> tuple[Sighting, tuple[str, ...]]:
    """A sighting with marks in the place of people, and their ids, in the order of the marks."""
    if sighting.detector != champion.NAME:
        return sighting, ()
    absence: champion.Absence = sighting.figures
    people = absence.champion.people
    marks = tuple(f"{_BEGIN}{number}{_END}" for number in range(len(people)))
    figures = absence._replace(champion=absence.champion._replace(people=marks))
    return sighting._replace(figures=figures), people


def named(text: str, names: Sequence[str | None]) -> str:
    """A text with names in the place of its marks.

    Args:
        text: as a sighting with marks gives it.
        names: what each of its people is called; None for one who was erased.
    """
    known = [name or ERASED for name in names]
    return _MARK.sub(lambda found: known[int(found[1])] if int(found[1]) < len(known) else ERASED, text)


def of_nobody(text: str, people: int) -> str:
    """A text that names nobody: "The champion has not been seen", where so many people are marked in it."""
    if not people:
        return text
    who = listed([f"{_BEGIN}{number}{_END}" for number in range(people)])
    return capitalized(text.replace(who, "the champion" if people == 1 else "the champions"))
