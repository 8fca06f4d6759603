"""Explains the scores of activity, milestones and recency (scoring rule 13).

Every explanation has the same form, so that a screen or an email can show any component the same way.
`why_engagement` and `why_crm` explain the other components.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from healthscore.core.rounding import decimal_number
from healthscore.core.scoring.standard import (
    ACTIVITY_TIERS,
    FULL_SCORE,
    MILESTONE_SCORES,
    RECENCY_TIERS,
    WINDOW_DAYS,
    activity,
    milestones,
    recency,
)
from healthscore.core.text import counted, elapsed, listed, moment
from healthscore.core.time import DAY, format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from healthscore.core.health_document import NextTierDocument
    from healthscore.core.model import Facts

_MILLISECOND = timedelta(milliseconds=1)
_NAMES_IN_WORDS = 3
"""Sentences shorten longer lists of milestones; the facts hold all of them."""


@dataclass(frozen=True, slots=True)
class NextTier:
    """The next higher score of a component, and the distance to it."""

    score: int
    """The component's score in that tier."""
    distance: int | float
    """The missing amount, in `unit`; it is always enough to reach the score."""
    unit: str
    text: str
    """The same in words."""

    def to_json(self) -> NextTierDocument:
        """The JSON of the health answer."""
        return {"score": self.score, "distance": self.distance, "unit": self.unit, "text": self.text}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one component's score, and how to raise it."""

    facts: Mapping[str, Any]
    """The figures that the score was computed from, as JSON values."""
    reason: str
    next_tier: NextTier | None
    """None at 100."""
    tip: str
    details: Mapping[str, Any] = field(default_factory=dict)
    """Fields that only this component has, as JSON values."""


def explain_activity(score: int, facts: Facts) -> Explanation:
    """Explain the score of activity (scoring rule 5)."""
    events = facts.events
    return Explanation(
        facts={"events": events, "window_days": WINDOW_DAYS},
        reason=f"{counted(events, 'event')} in the last {WINDOW_DAYS} days: {_activity_tier(events)}.",
        next_tier=_next_activity_tier(events),
        tip=_activity_tip(score, events),
    )


def _activity_tier(events: int) -> str:
    least = 0
    for most, score in ACTIVITY_TIERS:
        if events <= most:
            return f"{least} to {most} events score {score}" if most else f"no events score {score}"
        least = most + 1
    return f"more than {least - 1} events score {FULL_SCORE}"


def _next_activity_tier(events: int) -> NextTier | None:
    enough = next((most + 1 for most, _ in ACTIVITY_TIERS if events <= most), None)
    if enough is None:
        return None
    distance, score = enough - events, activity(enough)
    verb = "reaches" if distance == 1 else "reach"
    text = f"{counted(distance, 'more event')} in the {WINDOW_DAYS}-day window {verb} {score}."
    return NextTier(score=score, distance=distance, unit="events", text=text)


def _activity_tip(score: int, events: int) -> str:
    if not events:
        return "Make sure that tracking still arrives; if it does, ask the account what keeps its people away."
    if score == FULL_SCORE:
        return "Usage is at the top tier: keep it there by telling the account about features it does not use yet."
    return (
        "Invite back the people who went quiet, and make sure that every action that matters is tracked, "
        "new features included."
    )


def explain_milestones(score: int, facts: Facts) -> Explanation:
    """Explain the score of milestones (scoring rule 8)."""
    reached = {milestone.name for milestone in facts.milestones}
    missing = [name for name in facts.configured_milestones if name not in reached]
    return Explanation(
        facts={
            "reached": [{"name": milestone.name, "at": format_instant(milestone.at)} for milestone in facts.milestones],
            "configured": list(facts.configured_milestones),
            "missing": missing,
        },
        reason=_milestones_reason(score, facts),
        next_tier=_next_milestone_tier(len(facts.milestones), missing),
        tip=_milestones_tip(score, len(facts.milestones), missing),
    )


def _milestones_reason(score: int, facts: Facts) -> str:
    count, configured = len(facts.milestones), counted(len(facts.configured_milestones), "configured milestone")
    if not count:
        return f"None of {configured} reached so far, which scores {score}."
    last = facts.milestones[-1]
    most = len(MILESTONE_SCORES) - 1
    tier = f"{most} or more milestones score" if count >= most else f"{counted(count, 'milestone')} score"
    return (
        f"{count} of {configured} reached, most recently {last.name} on {moment(last.at)}: "
        f"{tier}{'s' if count == 1 else ''} {score}."
    )


def _next_milestone_tier(count: int, missing: Sequence[str]) -> NextTier | None:
    score = milestones(count + 1)
    if score == milestones(count):
        return None
    if missing:
        text = f"1 more milestone reaches {score}; still missing: {listed_shortly(missing)}."
    else:
        text = f"Every configured milestone is reached; {score} needs one more in the settings, and reached."
    return NextTier(score=score, distance=1, unit="milestones", text=text)


def _milestones_tip(score: int, count: int, missing: Sequence[str]) -> str:
    if score == FULL_SCORE:
        return "Adoption is complete: point the account to what the milestones do not cover yet."
    if not missing:
        return "Choose further milestones in the settings: the moments at which customers see what they pay for."
    if not count:
        return f"The account is at the very start: set it up together, towards {missing[0]} first."
    return f"The next step is {missing[0]}: show the account what it brings, and help it there."


def listed_shortly(names: Sequence[str]) -> str:
    """The names as text, with only the first three of a longer list: "a, b, c and 4 more"."""
    if len(names) <= _NAMES_IN_WORDS:
        return listed(names)
    return listed([*names[:_NAMES_IN_WORDS], f"{len(names) - _NAMES_IN_WORDS} more"])


def explain_recency(score: int, facts: Facts) -> Explanation:
    """Explain the score of recency, and when it falls next (scoring rule 9)."""
    if facts.last_seen_at is None:
        return Explanation(
            facts={"last_seen_at": None, "days_since": None, "seconds_since": None},
            reason=f"No event has ever been seen, which scores {score}.",
            next_tier=_next_recency_tier(score),
            tip="Nobody has used the product yet: help the account to its first login.",
            details={"next_fall": None},
        )
    since = facts.as_of - facts.last_seen_at
    return Explanation(
        facts={
            "last_seen_at": format_instant(facts.last_seen_at),
            "days_since": decimal_number(Fraction(since // _MILLISECOND, DAY // _MILLISECOND)),
            "seconds_since": since // _MILLISECOND / 1000,
        },
        reason=f"Last event {elapsed(since)} ago, on {moment(facts.last_seen_at)}: {_RECENCY_WORDS[score]}.",
        next_tier=_next_recency_tier(score),
        tip=_RECENCY_TIPS[score],
        details={"next_fall": _next_fall(score, facts.last_seen_at)},
    )


def _recency_words() -> dict[int, str]:
    words = {FULL_SCORE: f"less than 1 day scores {FULL_SCORE}"}
    least = "1"
    for days, score in RECENCY_TIERS:
        words[score] = f"{least} to {days} days score {score}"
        least = f"more than {days} and up"
    return words | {0: f"more than {days} days score 0"}


_RECENCY_WORDS = _recency_words()
_RECENCY_TIPS = {
    100: "Seen within a day: nothing to do.",
    80: "A short pause; look again if it lasts into next week.",
    60: "More than three days without a visit: send a reason to come back before it becomes a habit.",
    40: "More than a week of silence: ask your contact in person whether something broke or somebody left.",
    20: "More than two weeks of silence: call, and find out who in the account still owns the product.",
    0: "Silent for longer than the window: treat it as a win-back, starting with whoever signed the contract.",
}


def _next_recency_tier(score: int) -> NextTier | None:
    if score == FULL_SCORE:
        return None
    text = f"1 new event brings recency to {FULL_SCORE} at once."
    return NextTier(score=FULL_SCORE, distance=1, unit="events", text=text)


def _next_fall(score: int, last_seen_at: datetime) -> dict[str, Any] | None:
    """The first instant at which recency scores less, if no event comes until then."""
    if score == 0:
        return None
    if score == FULL_SCORE:
        at = last_seen_at + DAY
    else:
        # A tier includes its whole last day, so recency falls a millisecond later.
        at = last_seen_at + next(days for days, tier in RECENCY_TIERS if tier == score) * DAY + _MILLISECOND
    lower = recency(last_seen_at, at)
    text = f"Without a new event, recency falls to {lower} on {moment(at)}."
    return {"at": format_instant(at), "score": lower, "text": text}
