"""Champions: the people who carry the product at a customer, and whether they are there (signal rule 26)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INFERRED_DAYS = 182
"""Half a year: whoever was most active over it carries the product, and not who did one project."""
ENDED_DAYS_AGO = 28
"""The choice ends four weeks ago, so that a champion who falls silent is not replaced before it is seen."""
FEWEST_DAYS = 24
"""About one a week: of less, the absence of three weeks says nothing."""
SILENT_DAYS = 21
"""Three weeks: longer than a leave mostly is."""
CONTACT_DAYS = 30
"""A month in which somebody has met or mailed the customer: the champion is there, whatever the product sees."""


class ChampionState(StrEnum):
    """Whether a champion is there."""

    RESPONSIVE = "responsive"
    SILENT = "silent"
    UNKNOWN = "unknown"


class Champion(NamedTuple):
    """An account's champions on a night."""

    state: ChampionState
    people: tuple[str, ...] = ()
    """By user id; names are looked up when somebody reads them."""
    inferred: bool = False
    silent_days: int = 0
    """Days since the last event of any of them."""


NOBODY = Champion(ChampionState.UNKNOWN)


def inferred_champion(people: Mapping[str, Sequence[int]], day: int) -> str | None:
    """The person with most active days in the half year that ended four weeks ago; of equals, the smaller id.

    Args:
        people: the active days of each person, oldest first.
        day: the last complete day of the night that chooses.
    """
    end = day - ENDED_DAYS_AGO
    start = end - INFERRED_DAYS + 1
    best, chosen = FEWEST_DAYS - 1, None
    for person, days in people.items():
        if len(days) < FEWEST_DAYS or days[-1] < start:
            continue
        active = bisect_right(days, end) - bisect_left(days, start)
        if active > best or (active == best and chosen is not None and person < chosen):
            best, chosen = active, person
    return chosen


def champion_on(
    day: int,
    champions: Sequence[str],
    people: Mapping[str, Sequence[int]],
    contacts: Sequence[int],
    *,
    since: int,
    inferred: bool,
) -> Champion:
    """Whether the champions are there.

    Args:
        day: the night's last complete day.
        champions: at least one user id.
        people: the active days of each person, oldest first.
        contacts: the days of meetings and e-mails in the CRM, oldest first.
        since: the day on which they were named, from which the absence of one who has never come counts.
        inferred: whether the champion was inferred from use.
    """
    silent = min(_silent(people.get(champion, ()), day, since) for champion in champions)
    met = bisect_right(contacts, day)
    contact = met > 0 and day - contacts[met - 1] < CONTACT_DAYS
    state = ChampionState.SILENT if silent >= SILENT_DAYS and not contact else ChampionState.RESPONSIVE
    return Champion(state, tuple(champions), inferred, silent)


def _silent(days: Sequence[int], day: int, since: int) -> int:
    at = bisect_right(days, day)
    return day - (days[at - 1] if at else since - 1)
