"""One night of an account, as the detectors see it: everything that was known up to its last complete day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.signals.rhythm import silent_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthscore.core.detectors.champion_state import Champion
    from healthscore.core.detectors.drop import Drop, Drops
    from healthscore.core.detectors.outlook import Outlook


class Night:
    """What is known when a night runs. A detector reads nothing of later days."""

    __slots__ = (
        "_outlook",
        "day",
        "days",
        "drops",
        "excused",
        "falling",
        "first",
        "history",
        "life_day",
        "profile",
        "rhythm",
        "settings",
        "silent",
        "tickets",
        "week",
    )

    def __init__(
        self,
        day: int,
        outlook: Outlook,
        *,
        drops: Mapping[str, Drops],
        falling: Mapping[str, Drop],
        tickets: Sequence[int],
        week: int,
    ) -> None:
        """A night.

        Args:
            day: its last complete day, *yesterday* in the rules.
            outlook: what is known of the account beside its weeks; days after `day` are not looked at.
            drops: the drops of each signal, up to `week`.
            falling: those of them that the last week is part of, and that are judged by their unusual weeks.
            tickets: the open tickets at the ends of the complete weeks that are known, oldest first.
            week: the last week that the weekly rules have judged.
        """
        self.day = day
        self.first = outlook.first
        self.history = outlook.history
        self.days = outlook.days
        self.rhythm = rhythm = outlook.rhythm(day)
        self.silent = 0 if rhythm is None else silent_days(rhythm.last, day, outlook.excused)
        self.drops = drops
        self.falling = falling
        self.tickets = tickets
        self.week = week
        self.profile = outlook.profile
        self.excused = outlook.excused
        self.life_day = day - outlook.born + 1
        """The day of its life, of which the first is 1."""
        self.settings = outlook.settings
        self._outlook = outlook

    @property
    def champion(self) -> Champion:
        """Whether the champion is there."""
        return self._outlook.champions.on(self.day)
