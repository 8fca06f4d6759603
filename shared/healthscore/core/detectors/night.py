"""One night of an account, as the detectors see it: everything that was known up to its last complete day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.signals.rhythm import silent_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthscore.core.detectors.champion_state import Champion
    from healthscore.core.detectors.drop import Drops
    from healthscore.core.detectors.settings import DetectorSettings
    from healthscore.core.signals.active_days import ActiveDays
    from healthscore.core.signals.excused import Excused
    from healthscore.core.signals.history import History
    from healthscore.core.signals.model import Profile
    from healthscore.core.signals.rhythm import Rhythm


class Night:
    """What is known when a night runs. A detector reads nothing of later days."""

    __slots__ = (
        "champion",
        "day",
        "days",
        "drops",
        "excused",
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
        *,
        first: int,
        history: History,
        days: ActiveDays,
        rhythm: Rhythm | None,
        drops: Mapping[str, Drops],
        tickets: Sequence[int],
        week: int,
        champion: Champion,
        profile: Profile,
        excused: Excused,
        life_day: int,
        settings: DetectorSettings,
    ) -> None:
        """A night.

        Args:
            day: its last complete day, *yesterday* in the rules.
            first: the day from which on the account is judged: of its first event, or from which a person has accepted
                its use as the new normal.
            history: what it did; days after `day` are not looked at.
            days: the days that count as active, from `first` on.
            rhythm: the rhythm before its last active day; None where there is none.
            drops: the drops of each signal, up to `week`.
            tickets: the open tickets at the ends of the complete weeks that are known, oldest first.
            week: the last week that the weekly rules have judged.
            champion: whether the champion is there.
            profile: what is known of it.
            excused: the weeks that do not exist.
            life_day: the day of its life, of which the first is 1.
            settings: which rules are on, and how sensitive they are.
        """
        self.day = day
        self.first = first
        self.history = history
        self.days = days
        self.rhythm = rhythm
        self.silent = 0 if rhythm is None else silent_days(rhythm.last, day, excused)
        self.drops = drops
        self.tickets = tickets
        self.week = week
        self.champion = champion
        self.profile = profile
        self.excused = excused
        self.life_day = life_day
        self.settings = settings
