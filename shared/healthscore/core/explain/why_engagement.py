"""Explains the engagement score: the points of its three terms, and which lacks most (scoring rules 6, 13)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.explain.why import Explanation, NextTier
from healthscore.core.rounding import decimal_number, round_half_up, round_up
from healthscore.core.scoring.standard import (
    CONSISTENCY_POINTS,
    FULL_SCORE,
    FULL_SESSION_EVENTS,
    FULL_SESSION_MS,
    SESSION_DEPTH_POINTS,
    SESSION_LENGTH_POINTS,
    WINDOW_DAYS,
    EngagementTerms,
)
from healthscore.core.text import counted, figure, span
from healthscore.core.time import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.model import Facts

LENGTH, DEPTH, CONSISTENCY = "session_length", "session_depth", "consistency"
TERM_POINTS = {LENGTH: SESSION_LENGTH_POINTS, DEPTH: SESSION_DEPTH_POINTS, CONSISTENCY: CONSISTENCY_POINTS}
"""The terms in the order of answers, with the full points of each."""
AWAY_AFTER = 7 * DAY
"""How long without an event until the tip is to win people back, not to change how they use the product."""


def explain_engagement(terms: EngagementTerms, facts: Facts) -> Explanation:
    """Explain the score of engagement (scoring rule 6)."""
    points = term_points(terms)
    lacking = lacks_most(points)
    return Explanation(
        facts={
            "sessions": facts.sessions,
            "average_session_seconds": decimal_number(average_seconds(facts)),
            "average_events_per_session": decimal_number(average_events(facts)),
            "days_active": facts.days_active,
            "session_events": facts.session_events,
            "session_seconds": facts.session_ms / 1000,
            "window_days": WINDOW_DAYS,
        },
        reason=_reason(points, lacking, facts),
        next_tier=_next_tier(terms, lacking, facts) if lacking and terms.score < FULL_SCORE else None,
        tip=_tip(lacking, facts),
        details={
            "terms": {
                name: {"points": decimal_number(points[name], 2), "of": most} for name, most in TERM_POINTS.items()
            },
            "lacks_most": lacking,
        },
    )


def term_points(terms: EngagementTerms) -> dict[str, Fraction]:
    """The exact points of each term by its name, in the order of answers."""
    return {LENGTH: terms.session_length, DEPTH: terms.session_depth, CONSISTENCY: terms.consistency}


def lacks_most(points: Mapping[str, Fraction]) -> str | None:
    """The term that is furthest from its full points, the first of equals; None if all are full."""
    lacking = max(TERM_POINTS, key=lambda name: TERM_POINTS[name] - points[name])
    return lacking if points[lacking] < TERM_POINTS[lacking] else None


def average_seconds(facts: Facts) -> Fraction:
    """Average length of a session in seconds, exact; 0 where there is no session."""
    return Fraction(facts.session_ms, 1000 * facts.sessions) if facts.sessions else Fraction(0)


def average_events(facts: Facts) -> Fraction:
    """Average number of events in a session, exact; 0 where there is no session."""
    return Fraction(facts.session_events, facts.sessions) if facts.sessions else Fraction(0)


def _reason(points: Mapping[str, Fraction], lacking: str | None, facts: Facts) -> str:
    shares = {name: f"{figure(points[name])} of {most} points" for name, most in TERM_POINTS.items()}
    days = f"activity on {facts.days_active} of {WINDOW_DAYS} days ({shares[CONSISTENCY]})"
    if not facts.sessions:
        return f"No sessions in the last {WINDOW_DAYS} days, so only regularity counts: {days}."
    length = f"{span(average_seconds(facts))} ({shares[LENGTH]})"
    depth = f"{counted(average_events(facts), 'event')} ({shares[DEPTH]})"
    sessions = f"{counted(facts.sessions, 'session')} in the last {WINDOW_DAYS} days, on average {length} and {depth}"
    return f"{sessions}; {days}. {_LACKS_MOST[lacking]}"


def _next_tier(terms: EngagementTerms, lacking: str, facts: Facts) -> NextTier:
    points = term_points(terms)
    points[lacking] = Fraction(TERM_POINTS[lacking])
    score = round_half_up(sum(points.values()))
    distance, unit, words = _distance(lacking, facts)
    text = f"{words} earn all {TERM_POINTS[lacking]} points of this term and make engagement {score}."
    return NextTier(score=score, distance=distance, unit=unit, text=text)


def _distance(lacking: str, facts: Facts) -> tuple[int | float, str, str]:
    """The distance of a term to its full points: an amount that is enough, the unit, and both as text."""
    if lacking == LENGTH:
        seconds = round_up(Fraction(FULL_SESSION_MS, 1000) - average_seconds(facts))
        words = f"{span(seconds)} more in the average session ({span(FULL_SESSION_MS // 1000)} or longer)"
        return seconds, "seconds per session", words
    if lacking == DEPTH:
        events = Fraction(round_up((FULL_SESSION_EVENTS - average_events(facts)) * 10), 10)
        words = f"{counted(events, 'more event')} in the average session ({FULL_SESSION_EVENTS} or more)"
        return decimal_number(events), "events per session", words
    days = WINDOW_DAYS - facts.days_active
    return days, "active days", f"{counted(days, 'more active day')} in the {WINDOW_DAYS}-day window"


def _tip(lacking: str | None, facts: Facts) -> str:
    if not facts.events:
        return "Nobody used the product in the window: first find out why, engagement comes after."
    if not facts.sessions:
        return (
            "None of the events says who it came from: send user_id, anonymous_id or session_id with them, "
            "so that sessions can be seen."
        )
    if facts.last_seen_at is not None and facts.as_of - facts.last_seen_at > AWAY_AFTER:
        days = counted((facts.as_of - facts.last_seen_at) // DAY, "day")
        return f"Nobody has come for {days}: win people back first; how they use the product comes after."
    return _TIPS[lacking]


_LACKS_MOST: dict[str | None, str] = {
    LENGTH: "Session length lacks most.",
    DEPTH: "Session depth lacks most.",
    CONSISTENCY: "Regularity lacks most.",
    None: "Nothing lacks.",
}
_TIPS: dict[str | None, str] = {
    LENGTH: "Visits are short: lead people to what is worth staying for, and look for the step at which they leave.",
    DEPTH: "People come but do little: show them the next useful step on the screen where they arrive.",
    CONSISTENCY: "Use comes in bursts: give the account something that is worth opening the product for every day.",
    None: "Sessions are long, deep and daily: learn from this account what to recommend to the others.",
}
