"""A decision: a change of an account's state, with its reasons and what to do, stored once (signal rules 33 to 35)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.decisions.people import marked
from healthscore.core.decisions.response import response
from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.registry import BY_NAME
from healthscore.core.signals.calendar import date_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from typing_extensions import TypedDict

    from healthscore.core.decisions.life import Change
    from healthscore.core.detectors.finding import EvidenceJson, Sighting
    from healthscore.core.json_types import Day
    from healthscore.core.signals.model import Profile

    class LinkJson(TypedDict):
        """Where a reader finds more."""

        what: str
        since: Day
        until: Day
        url: str | None

    class ReasonText(TypedDict):
        """One reason of a decision."""

        detector: str
        signal: str | None
        level: str
        sentence: str
        evidence: list[EvidenceJson]
        links: list[LinkJson]

    class ReasonJson(ReasonText):
        """A reason as it is stored."""

        people: list[str | None]
        """The ids of the people who are marked in the sentence."""

    _FromTo = TypedDict("_FromTo", {"from": str | None, "to": str | None})

    class DecisionText(_FromTo):
        """A decision."""

        date: Day
        ended: str | None
        """How the episode ended, where one did: `recovered`, `new_normal` or `lost`."""
        action: str | None
        due: Day | None
        owner: str
        escalated_to: str | None
        """Who hears at once of a red account that nobody looks after."""

    class DecisionJson(DecisionText):
        """A decision as it is stored."""

        reasons: list[ReasonJson]
        people: list[str | None]
        """The ids of the people who are marked in the action."""


UNASSIGNED = "unassigned"
"""The queue of the accounts that nobody looks after."""
SATURDAY = 5


class Link(NamedTuple):
    """A page that has more: the account's own signal, its events, or one that a person has noted."""

    what: str
    """`signal`, `events`, `crm`, or what a person has named it."""
    since: int
    until: int
    url: str | None = None
    """Of the pages of others; our own are named by account, signal and span."""

    def to_json(self) -> LinkJson:
        """The form in which a link is stored."""
        since, until = date_of(self.since).isoformat(), date_of(self.until).isoformat()
        return {"what": self.what, "since": since, "until": until, "url": self.url}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a night has decided about an account."""

    night: int
    """The day in whose night it was: the one after the last complete day."""
    before: Level | None
    after: Level | None
    reasons: tuple[Sighting, ...]
    """The gravest first."""
    ended: str | None
    """How the episode ended: `recovered`, `new_normal` or `lost`."""
    action: str | None
    """With marks for the people in it, as of `decisions.people`."""
    people: tuple[str, ...]
    due: date | None
    owner: str
    escalated_to: str | None

    def to_json(self, pages: Sequence[Link] = ()) -> DecisionJson:
        """The form in which a decision is stored.

        Args:
            pages: further links that every reason gets: the CRM's record, and notes with an address.
        """
        return {
            "date": date_of(self.night).isoformat(),
            "from": None if self.before is None else self.before.word,
            "to": None if self.after is None else self.after.word,
            "reasons": [reason_json(sighting, pages) for sighting in self.reasons],
            "ended": self.ended,
            "action": self.action,
            "people": list(self.people),
            "due": self.due.isoformat() if self.due else None,
            "owner": self.owner,
            "escalated_to": self.escalated_to,
        }


def decide(change: Change, profile: Profile, escalation_owner: str | None = None) -> Decision:
    """The decision of a change of state.

    Args:
        change: the change, as the fold of the account's nights has found it.
        profile: the account's, as of that night.
        escalation_owner: who hears at once of a red account that nobody looks after.
    """
    night = change.day + 1
    gravest, people = marked(change.reasons[0]) if change.reasons else (None, ())
    answer = response(gravest) if gravest else None
    alone = change.after is Level.RED and profile.owner is None
    return Decision(
        night=night,
        before=change.before,
        after=change.after,
        reasons=change.reasons,
        ended=change.ending.value if change.ending else None,
        action=answer.action if answer else None,
        people=people,
        due=due_date(night, answer.working_days) if answer and answer.working_days is not None else None,
        owner=profile.owner or UNASSIGNED,
        escalated_to=escalation_owner if alone else None,
    )


def due_date(night: int, working_days: int) -> date:
    """The day that lies a number of working days after another: of 0, that day, whatever day of the week it is."""
    day = night
    while working_days:
        day += 1
        working_days -= date_of(day).weekday() < SATURDAY
    return date_of(day)


def sentence(sighting: Sighting) -> str:
    """A sighting in plain English; people are named by their ids."""
    return BY_NAME[sighting.detector].sentence(sighting)


def links(sighting: Sighting) -> tuple[Link, Link]:
    """The account's page at the signal, and its events, both of the span that the sighting is about."""
    since, until = BY_NAME[sighting.detector].span(sighting)
    return Link("signal", since, until), Link("events", since, until)


def reason_json(sighting: Sighting, pages: Sequence[Link] = ()) -> ReasonJson:
    """A reason as it is stored: with its sentence, its figures, its links and the people who are marked in it."""
    sighting, people = marked(sighting)
    return {
        "detector": sighting.detector,
        "signal": sighting.signal,
        "level": sighting.level.word,
        "sentence": sentence(sighting),
        "evidence": [item.to_json() for item in BY_NAME[sighting.detector].evidence(sighting)],
        "links": [link.to_json() for link in (*links(sighting), *pages)],
        "people": list(people),
    }
