"""One night of an account, as the detectors see it: everything that was known up to its last complete day."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from healthscore.core.signals.rhythm import silent_days

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from healthscore.core.detectors.champion_state import Champion
    from healthscore.core.detectors.counted_weeks import Counted
    from healthscore.core.detectors.drop import Drops
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.signals.rhythm import Rhythm

T = TypeVar("T")


class Night:
    """What is known when a night runs. A detector reads nothing of later days."""

    __slots__ = (
        "_counted",
        "_outlook",
        "day",
        "days",
        "excused",
        "falling",
        "first",
        "history",
        "profile",
        "settings",
        "silent",
        "tickets",
        "week",
    )

    def __init__(self, day: int, outlook: Outlook, counted: Counted) -> None:
        """A night.

        Args:
            day: its last complete day, *yesterday* in the rules.
            outlook: what is known of the account beside its weeks; days after `day` are not looked at.
            counted: what its weeks come to, up to the last one that the weekly rules have judged.
        """
        self.day = day
        self.week = counted.week
        self.falling = counted.falling
        self.tickets = counted.tickets
        self.first = outlook.first
        self.history = outlook.history
        self.days = outlook.days
        self.profile = outlook.profile
        self.excused = outlook.excused
        self.settings = outlook.settings
        last = outlook.last_active(day)
        self.silent = 0 if last is None else silent_days(last, day, outlook.excused)
        self._outlook = outlook
        self._counted = counted

    def once(self, what: Hashable, find: Callable[[], T]) -> T:
        """What is the same on all nights of the stretch on which a detector asks for it, found by the first of them.

        Args:
            what: the detector's name, and what tells this from other things that it finds.
            find: finds it.
        """
        found = self._outlook.found
        if what not in found:
            found[what] = find()
        known: T = found[what]
        return known

    @property
    def life_day(self) -> int:
        """The day of its life, of which the first is 1."""
        return self.day - self._outlook.born + 1

    @property
    def rhythm(self) -> Rhythm | None:
        """The rhythm before its last active day; None where there is none."""
        return self._outlook.rhythm(self.day)

    @property
    def signals(self) -> Iterable[str]:
        """The signals of which weeks are counted."""
        return self._counted.signals

    def drops(self, key: str) -> Drops | None:
        """The drops of a signal, up to the last week."""
        return self._counted.drops(key)

    @property
    def champion(self) -> Champion:
        """Whether the champion is there."""
        return self._outlook.champions.on(self.day)
