"""An account's risk, night by night: a pure fold over its inputs (signal rule 4).

Nothing is remembered between two runs. Frozen baselines and episodes are found again each time, so that late events,
a corrected profile and any past night give the answer that they would have given if they had always been there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.decisions.episode import Ending, Episode
from healthscore.core.decisions.findings import Finding, Findings
from healthscore.core.detectors import champion
from healthscore.core.detectors.champion_state import NOBODY, Champion, champion_on, inferred_champion
from healthscore.core.detectors.drop import Drops
from healthscore.core.detectors.finding import Level, Schedule
from healthscore.core.detectors.night import Night
from healthscore.core.detectors.registry import DETECTORS, gravest_first
from healthscore.core.signals.applicability import YOUNG_DAYS
from healthscore.core.signals.calendar import is_monday, is_sunday, monday, week_of
from healthscore.core.signals.model import ACTIVE_DAYS, USERS, Profile, signal
from healthscore.core.signals.rhythm import Rhythm, rhythm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.decisions.inputs import Inputs
    from healthscore.core.detectors.finding import Detector, Sighting
    from healthscore.core.detectors.settings import DetectorSettings
    from healthscore.core.signals.active_days import ActiveDays

UNKNOWN_DAYS = 28
"""Before it, there is nothing to say of an account of which nothing is seen."""
NEWS_DAYS = 91
"""Good news of one kind comes once a quarter at most."""


class Change(NamedTuple):
    """A change of the state of an account."""

    day: int
    """The last complete day that the night knew."""
    before: Level | None
    after: Level | None
    reasons: tuple[Sighting, ...]
    """What was seen in the episode, the gravest first."""
    ending: Ending | None
    """How the episode ended, where one ended on that night."""


@dataclass(frozen=True, slots=True)
class Life:
    """The risk of an account on a night, and how it came to that."""

    state: Level | None
    """None where the customer has left, or there is nothing to say yet."""
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    """All of its life, the closed ones first, in the order in which they closed."""
    news: tuple[tuple[int, Sighting], ...]
    """Good news, each with its day."""
    episode: Episode | None
    """The open one."""

    @property
    def since(self) -> int | None:
        """The last complete day of the night from which on it has had its state; None where it never had one."""
        return self.changes[-1].day if self.changes else None

    @property
    def previous(self) -> Level | None:
        """The state before that."""
        return self.changes[-1].before if self.changes else None


def life(inputs: Inputs, settings: DetectorSettings, until: int, detectors: Sequence[Detector] = DETECTORS) -> Life:
    """The risk of an account as of a night.

    Args:
        inputs: what is known of the account; what is of later days is not looked at.
        settings: which detectors are on, and how sensitive they are.
        until: the last complete day of that night.
        detectors: the rules to judge by.
    """
    fold = _Fold(inputs, settings, detectors)
    first = _first_night(inputs)
    if first is not None:
        for day in range(first, until + 1):
            fold.night(day)
    return Life(
        state=fold.state,
        changes=tuple(fold.changes),
        findings=(*fold.findings.closed, *fold.findings.open.values()),
        news=tuple(fold.news),
        episode=fold.episode,
    )


def _first_night(inputs: Inputs) -> int | None:
    """The first day of the account's life: of its first event, or on which it became a customer."""
    created = [profile.created for _, profile in inputs.profiles if profile.created is not None]
    first = [] if inputs.history.first is None else [inputs.history.first]
    return min([*created, *first], default=None)


class _Fold:
    """The state of an account after the nights so far."""

    def __init__(self, inputs: Inputs, settings: DetectorSettings, detectors: Sequence[Detector]) -> None:
        self.state: Level | None = None
        self.changes: list[Change] = []
        self.findings = Findings()
        self.news: list[tuple[int, Sighting]] = []
        self.episode: Episode | None = None
        self._inputs = inputs
        self._settings = settings
        self._detectors = [
            detector for detector in detectors if settings.turns_on(detector.name, by_default=detector.by_default)
        ]
        self._detectors_by: dict[tuple[Schedule, bool, bool], list[Detector]] = {}
        self._asks_champion = champion.NAME not in settings.off
        self._begun = _first_night(inputs) or 0
        self._profile = Profile()
        self._profiles = list(reversed(inputs.profiles))
        self._accepted = list(reversed(inputs.accepted))
        self._floor: int | None = None
        self._week = 0
        self._ended: tuple[int, Ending | None] = self._begun - 1, None
        self._weekly_seen: list[Sighting] = []
        self._named = self._begun
        self._inferred: str | None = None
        self._last_news: dict[tuple[str, str | None], int] = {}
        self._begin_again(self._begun)

    def night(self, day: int) -> None:
        """Take in one night."""
        changed = self._learn(day)
        if is_monday(day):
            self._count_weeks(week_of(day) - 1)
        if is_sunday(day):
            self._inferred = self._choose_champion(day)
        if self._profile.churned:
            self._leave(day)
            return
        night = self._night(day)
        if changed or is_monday(day):
            self._weekly_seen = self._seen(Schedule.WEEKLY, night)
        seen = [*self._weekly_seen, *self._seen(Schedule.NIGHTLY, night)]
        if seen or self.episode or self.findings.open:
            self._judge(night, seen)
        else:
            self._go_to(day, self._quiet_state(night), ())

    def _learn(self, day: int) -> bool:
        """Take in what became known of profile and acceptance by a day; answers whether anything did."""
        changed = False
        while self._profiles and self._profiles[-1][0] <= day:
            _, profile = self._profiles.pop()
            changed = True
            if profile.champions != self._profile.champions:
                self._named = day
            if profile.usage_channel is not self._profile.usage_channel:
                self._profile = profile
                self._begin_again(day)
            self._profile = profile
        while self._accepted and self._accepted[-1] <= day:
            self._floor = monday(week_of(self._accepted.pop()))
            self._begin_again(day)
            self._end_episode(day, Ending.NEW_NORMAL)
            changed = True
        return changed

    def _begin_again(self, day: int) -> None:
        """Read the series from their beginning, or from where the use was accepted as the new normal."""
        history = self._inputs.history
        days = history.days(self._profile.usage_channel)
        self._days: ActiveDays = days if self._floor is None else days.since(self._floor)
        self._rhythm: Rhythm | None = None
        keys = sorted({ACTIVE_DAYS, USERS, *history.weekly} - (set() if self._profile.of_people else {USERS}))
        self._drops = {key: Drops(signal(key).minimum, self._settings.sensitivity) for key in keys}
        self._tickets: list[int] = []
        first_week = history.first_week if self._floor is None else week_of(self._floor)
        self._next_week = week_of(day) if first_week is None else first_week
        self._count_weeks(week_of(day) - 1)

    def _count_weeks(self, last: int) -> None:
        """Take in the complete weeks up to one."""
        inputs = self._inputs
        for week in range(self._next_week, last + 1):
            for key, drops in self._drops.items():
                if not inputs.excused.excuses(key, week):
                    drops.add(week, inputs.history.week(key, week, self._profile.usage_channel))
            if week in inputs.tickets:
                self._tickets.append(inputs.tickets[week])
        self._next_week = max(self._next_week, last + 1)
        self._week = last

    def _choose_champion(self, day: int) -> str | None:
        if self._profile.champions or not self._asks_champion:
            return None
        return inferred_champion(self._inputs.history.people, day)

    def _champion(self, day: int) -> Champion:
        named = self._profile.champions
        people = named or ((self._inferred,) if self._inferred is not None else ())
        if not people or not self._profile.of_people or not self._asks_champion:
            return NOBODY
        return champion_on(
            day, people, self._inputs.history.people, self._inputs.contacts, since=self._named, inferred=not named
        )

    def _night(self, day: int) -> Night:
        last = self._days.last(day)
        if last is not None and (self._rhythm is None or self._rhythm.last != last):
            self._rhythm = rhythm(self._days, last)
        elif last is None and self._floor is not None:
            self._rhythm = Rhythm(self._floor - 1, 0, 0)  # accepted, and not seen since
        created = self._profile.created
        return Night(
            day,
            first=self._begun if self._floor is None else self._floor,
            history=self._inputs.history,
            days=self._days,
            rhythm=self._rhythm,
            drops=self._drops,
            tickets=self._tickets,
            week=self._week,
            champion=self._champion(day),
            profile=self._profile,
            excused=self._inputs.excused,
            life_day=day - (self._begun if created is None else created) + 1,
            settings=self._settings,
        )

    def _seen(self, schedule: Schedule, night: Night) -> list[Sighting]:
        return [sighting for detector in self._judging(schedule, night.day) for sighting in detector.see(night)]

    def _judging(self, schedule: Schedule, day: int) -> Sequence[Detector]:
        """The detectors that judge the account, by its age and whether it is expected every week (signal rule 6)."""
        key = schedule, day - self._begun + 1 < YOUNG_DAYS, self._profile.cadence is not None
        if key not in self._detectors_by:
            _, young, cadence = key
            self._detectors_by[key] = [
                detector
                for detector in self._detectors
                if detector.schedule is schedule
                and (detector.of_young or not young)
                and (detector.of_cadence or not cadence)
            ]
        return self._detectors_by[key]

    def _judge(self, night: Night, seen: list[Sighting]) -> None:
        """Hold the state by the episode (signal rules 18 and 19)."""
        findings = [sighting for sighting in seen if sighting.level]
        grave = [sighting for sighting in findings if sighting.level >= Level.YELLOW]
        ending = None
        if self.episode is None and grave:
            self.episode = Episode.begin(night, findings)
        elif self.episode is not None:
            self.episode.go_on(night, findings)
            ending = None if grave else self.episode.ending(night)
        self.findings.step(night, findings, in_episode=self.episode is not None)
        if ending is not None:
            self._end_episode(night.day, ending)
        self._note_news(night.day, seen)
        if self.episode is not None:
            self._go_to(night.day, self.episode.level, self.episode.sightings.values())
            return
        state = max((sighting.level for sighting in findings), default=self._quiet_state(night))
        self._go_to(night.day, state, findings)

    def _quiet_state(self, night: Night) -> Level | None:
        """The state of an account of which nothing is seen: unknown where it is too young, or was never active."""
        if night.rhythm is None or night.day - self._begun + 1 < UNKNOWN_DAYS:
            return None
        return Level.OK

    def _end_episode(self, day: int, ending: Ending) -> None:
        self.findings.end(day, ending)
        self.episode = None
        self._ended = day, ending

    def _leave(self, day: int) -> None:
        """The customer has left: nothing is judged any more."""
        self._end_episode(day, Ending.LOST)
        self._weekly_seen = []
        self._go_to(day, None, ())

    def _note_news(self, day: int, seen: Sequence[Sighting]) -> None:
        for sighting in seen:
            key = sighting.detector, sighting.signal
            if sighting.level is Level.OK and day - self._last_news.get(key, day - NEWS_DAYS) >= NEWS_DAYS:
                self._last_news[key] = day
                self.news.append((day, sighting))

    def _go_to(self, day: int, state: Level | None, reasons: Iterable[Sighting]) -> None:
        if state != self.state:
            ended, how = self._ended
            ending = how if ended == day and self.episode is None else None
            gravest = tuple(sorted(reasons, key=gravest_first))
            self.changes.append(Change(day, self.state, state, gravest, ending))
            self.state = state
