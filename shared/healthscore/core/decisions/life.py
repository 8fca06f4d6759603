"""An account's risk, night by night: a pure fold over its inputs (signal rule 4).

Nothing is remembered between two runs. Frozen baselines and episodes are found again each time, so that late events,
a corrected profile and any past night give the answer that they would have given if they had always been there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.decisions.episode import Ending, Episode
from healthscore.core.decisions.findings import Finding, Findings
from healthscore.core.detectors import champion
from healthscore.core.detectors.champion_state import Champions
from healthscore.core.detectors.counted_weeks import CountedWeeks
from healthscore.core.detectors.finding import Level, Schedule
from healthscore.core.detectors.night import Night
from healthscore.core.detectors.outlook import Outlook
from healthscore.core.detectors.registry import DETECTORS, gravest_first
from healthscore.core.signals.applicability import YOUNG_DAYS
from healthscore.core.signals.calendar import DAYS, is_monday, monday, week_of
from healthscore.core.signals.model import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthscore.core.decisions.inputs import Inputs
    from healthscore.core.detectors.finding import Detector, Sighting
    from healthscore.core.detectors.settings import DetectorSettings
    from healthscore.core.detectors.spans import Span
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
    fold = _Fold(inputs, settings, detectors, until)
    if _first_night(inputs) is not None:
        fold.nights()
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


class _Span(NamedTuple):
    """Nights on all of which the same is seen, but for figures that follow the day."""

    first: int
    last: int
    asked: list[Detector]
    """The detectors that may see something."""
    closes: bool
    """Whether one of them sees nothing, or something else, on the night after."""


class _Fold:
    """The state of an account after the nights so far."""

    def __init__(self, inputs: Inputs, settings: DetectorSettings, detectors: Sequence[Detector], until: int) -> None:
        self.state: Level | None = None
        self.changes: list[Change] = []
        self.findings = Findings()
        self.news: list[tuple[int, Sighting]] = []
        self.episode: Episode | None = None
        self._until = until
        self._inputs = inputs
        self._settings = settings
        self._detectors = [
            detector for detector in detectors if settings.turns_on(detector.name, by_default=detector.by_default)
        ]
        self._begun = _first_night(inputs) or 0
        self._grown = self._begun + YOUNG_DAYS - 1
        self._profile = Profile()
        self._profiles = list(reversed(inputs.profiles))
        self._accepted = list(reversed(inputs.accepted))
        self._floor: int | None = None
        self._ended: tuple[int, Ending | None] = self._begun - 1, None
        self._weekly_seen: list[Sighting] = []
        self._named = self._begun
        self._inferred: str | None = None
        self._last_news: dict[tuple[str, str | None], int] = {}
        self._begin_again(self._begun)

    def nights(self) -> None:
        """Take in all nights of its life.

        They are taken in stretches in which only its use goes on. Of a stretch, only the nights are looked at on which
        something can begin, end or change: the detectors say which these are.
        """
        start = self._begun
        while start <= self._until:
            changed = self._learn(start)
            later = [self._profiles[-1][0]] if self._profiles else []
            later += self._accepted[-1:]
            end = min([self._until, *(day - 1 for day in later)])
            outlook = self._outlook(start, end)
            if self._profile.churned:
                self._leave(start)
            else:
                for span in self._spans(outlook):
                    weekly = is_monday(span.first) or (changed and span.first == start)
                    if span.asked or span.first == start or self._weekly_seen or self.episode or self.findings.open:
                        self._take(outlook, span, weekly=weekly)
                    else:
                        self._go_to(span.first, self._quiet_state(outlook, span.first), ())
            self._inferred = outlook.champions.inferred(end)
            start = end + 1

    def _learn(self, day: int) -> bool:
        """Take in what became known of profile and acceptance by a day; answers whether anything did."""
        changed = False
        while self._profiles and self._profiles[-1][0] <= day:
            _, profile = self._profiles.pop()
            changed = True
            if profile.champions != self._profile.champions:
                self._named = day
            channel_changed = profile.usage_channel is not self._profile.usage_channel
            self._profile = profile
            if channel_changed:
                self._begin_again(day)
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
        first = history.first_week if self._floor is None else week_of(self._floor)
        self._weeks = CountedWeeks(
            week_of(day) if first is None else first,
            week_of(self._until) - 1,
            days=self._days,
            weekly=history.weekly,
            tickets=self._inputs.tickets,
            excused=self._inputs.excused,
            settings=self._settings,
            of_people=self._profile.of_people,
        )

    def _outlook(self, start: int, end: int) -> Outlook:
        inputs, profile = self._inputs, self._profile
        champions = Champions(
            start,
            end,
            inputs.history.people,
            inputs.contacts,
            named=profile.champions,
            since=self._named,
            before=self._inferred,
            asked=profile.of_people and champion.NAME not in self._settings.off,
        )
        return Outlook(
            start,
            end,
            first=self._begun if self._floor is None else self._floor,
            floor=self._floor,
            born=self._begun if profile.created is None else profile.created,
            history=inputs.history,
            days=self._days,
            weeks=self._weeks,
            champions=champions,
            profile=profile,
            excused=inputs.excused,
            settings=self._settings,
        )

    def _spans(self, outlook: Outlook) -> Iterator[_Span]:
        """The stretch in spans.

        One begins where one of a detector begins, or is over, with each week, and where an account of which nothing is
        seen gets its first state.
        """
        start, end = outlook.start, outlook.end
        begins, over = defaultdict(list), defaultdict(list)
        for at, detector in enumerate(self._detectors):
            if self._profile.cadence is not None and not detector.of_cadence:
                continue
            earliest = start if detector.of_young else max(start, self._grown)
            for first, last in _asked(detector, outlook):
                since, until = max(first, earliest), min(last, end)
                if since <= until:
                    begins[since].append(at)
                    over[until + 1].append(at)
        mondays = range(monday(week_of(start + DAYS - 1)), end + 1, DAYS)
        first_states = (self._begun + UNKNOWN_DAYS - 1, *outlook.days.days[:1])
        borders = sorted(
            {start, *mondays, *begins, *over, *(day for day in first_states if start < day <= end), end + 1}
        )
        now: set[int] = set()
        asked: list[Detector] = []
        for first, after in pairwise(borders):
            if first in begins or first in over:
                now.difference_update(over.get(first, ()))
                now.update(begins.get(first, ()))
                asked = [self._detectors[at] for at in sorted(now)]
            yield _Span(first, after - 1, asked, closes=after in over)

    def _take(self, outlook: Outlook, span: _Span, *, weekly: bool) -> None:
        """Take in the first night of a span, and those of the others on which something comes of what it sees."""
        seen, follows = self._night(outlook, span.first, span.asked, weekly=weekly)
        day = span.first
        while (day := self._next_night(day, span, seen, follows=follows)) <= span.last:
            seen, follows = self._night(outlook, day, span.asked)
        if self.episode is not None and any(sighting.level >= Level.YELLOW for sighting in seen):
            self.episode.last_fired = span.last

    def _next_night(self, day: int, span: _Span, seen: Sequence[Sighting], *, follows: bool) -> int:
        """The next night of a span to look at; after its last one where there is none.

        Args:
            day: the night that was looked at last.
            span: the span.
            seen: what all of its nights see.
            follows: whether figures of that follow the day, so that the last ones stay.
        """
        if day == self._ended[0]:  # what is still seen after the end of an episode is a new finding
            return day + 1
        due = [span.last if follows and span.closes and day < span.last else span.last + 1]
        due += [
            after
            for sighting in seen
            if sighting.level is Level.OK
            and (after := self._last_news[sighting.detector, sighting.signal] + NEWS_DAYS) > day
        ]
        episode = self.episode
        if episode is not None and not any(sighting.level >= Level.YELLOW for sighting in seen):
            due += [after for after in range(day + 1, min(due)) if episode.may_end(after, self._days)][:1]
        return min(due)

    def _night(
        self, outlook: Outlook, day: int, asked: Sequence[Detector], *, weekly: bool = False
    ) -> tuple[list[Sighting], bool]:
        """Take in one night; answers what it sees, and whether a nightly detector does."""
        night = Night(day, outlook, self._weeks.after(week_of(day) - 1))
        if weekly:
            self._weekly_seen = _see(Schedule.WEEKLY, asked, night)
        nightly = _see(Schedule.NIGHTLY, asked, night)
        seen = [*self._weekly_seen, *nightly]
        quiet = self._quiet_state(outlook, day)
        if seen or self.episode or self.findings.open:
            self._judge(night, seen, quiet)
        else:
            self._go_to(day, quiet, ())
        return seen, bool(nightly)

    def _judge(self, night: Night, seen: list[Sighting], quiet: Level | None) -> None:
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
        state = max((sighting.level for sighting in findings), default=quiet)
        self._go_to(night.day, state, findings)

    def _quiet_state(self, outlook: Outlook, day: int) -> Level | None:
        """The state of an account of which nothing is seen: unknown where it is too young, or was never active."""
        if day - self._begun + 1 < UNKNOWN_DAYS or outlook.last_active(day) is None:
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


def _asked(detector: Detector, outlook: Outlook) -> Iterable[Span]:
    """The spans of nights on which a detector is asked: without a hint all, of a nightly one each by itself."""
    if detector.spans is not None:
        return detector.spans(outlook)
    if detector.schedule is Schedule.WEEKLY:
        return [(outlook.start, outlook.end)]
    return ((day, day) for day in range(outlook.start, outlook.end + 1))


def _see(schedule: Schedule, asked: Iterable[Detector], night: Night) -> list[Sighting]:
    return [sighting for detector in asked if detector.schedule is schedule for sighting in detector.see(night)]
