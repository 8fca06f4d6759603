"""The causes of changes in the usage components between two snapshots, as text (scoring rule 14).

Each function takes the earlier and the later snapshot of an account whose component score differs between them, and
returns the cause as a clause without a full stop. A cause states only what the facts of both snapshots show. With
`silence_named` it stands beside a sentence that says since when there has been no event, and does not say so again.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from healthscore.core.explain.why import listed_shortly
from healthscore.core.explain.why_engagement import CONSISTENCY, DEPTH, LENGTH, term_points
from healthscore.core.model import Component
from healthscore.core.scoring.standard import WINDOW_DAYS, engagement_terms
from healthscore.core.text import counted, elapsed, figure, listed, moment, span
from healthscore.core.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from healthscore.core.model import Snapshot

BURST_FACTOR = 2
BURST_EVENTS = 10
"""A rise is a burst if the window's events at least doubled, and by this many or more."""
STOPPED_FROM = 60
"""A recency of this or less means more than 3 days of silence: the cause then says that use stopped."""
SIDE_CAUSE_POINTS = 1
"""The cause names the term that moved most, and others that moved at least this many points the same way."""


def late_events(then: Snapshot, known: Snapshot) -> int:
    """How many events of up to a snapshot came in after it.

    Args:
        then: the snapshot.
        known: the same instant, of what is known now.
    """
    before, after = (snapshot.facts[Component.ACTIVITY]["events"] for snapshot in (then, known))
    return max(int(after) - int(before), 0)


def late(then: Snapshot, known: Snapshot) -> str:
    """That events of up to a snapshot came in late, as the cause of what they moved."""
    before, after = (snapshot.facts[Component.ACTIVITY]["events"] for snapshot in (then, known))
    number = counted(late_events(then, known), "event")
    return f"late data: {number} of up to {then.day} came in after that ({before:,} → {after:,} in {WINDOW_DAYS} days)"


def activity(then: Snapshot, now: Snapshot, *, silence_named: bool = False) -> str:
    """Why the events in the window became more or fewer."""
    before, after = (snapshot.facts[Component.ACTIVITY]["events"] for snapshot in (then, now))
    silent_since = _silent_since(then, now)
    change = f"{before:,} → {counted(after, 'event')} in {WINDOW_DAYS} days"
    if after < before:
        if silent_since is None:
            return f"less use: more events left the window than came in ({change})"
        since = "older events" if silence_named else f"no event since {moment(silent_since)}, while older ones"
        return f"{since} left the window ({change})"
    if silent_since is not None:
        return f"{counted(after - before, 'event')} with earlier dates arrived late ({change})"
    if not before:
        return f"use began again: {change}" if _last_seen(then) else f"first use: {change}"
    if after >= BURST_FACTOR * before and after - before >= BURST_EVENTS:
        return f"a burst of {counted(after - before, 'event')} more than on {then.day} ({change})"
    return f"more use: {change}"


def recency(then: Snapshot, now: Snapshot, *, silence_named: bool = False) -> str:
    """Why the last event became older, or newer."""
    before, after = _last_seen(then), _last_seen(now)
    if after is None:
        return "no event is known any more"
    if now.components[Component.RECENCY] < then.components[Component.RECENCY]:
        stopped = now.components[Component.RECENCY] <= STOPPED_FROM
        if silence_named:
            return "use stopped" if stopped else "nobody has come back since"
        return f"{'use stopped, no' if stopped else 'no'} event since {moment(after)} ({elapsed(now.as_of - after)})"
    if after <= then.as_of:
        return f"an event of {moment(after)} arrived late"
    if before is None:
        return f"first event ever, on {moment(after)}"
    silence = elapsed(then.as_of - before)
    return f"used again, last on {moment(after)}, where by {then.day} there had been no event for {silence}"


def _last_seen(snapshot: Snapshot) -> datetime | None:
    at = snapshot.facts[Component.RECENCY]["last_seen_at"]
    return parse_instant(at) if at else None


def _silent_since(then: Snapshot, now: Snapshot) -> datetime | None:
    """The last event, if it is not later than the earlier snapshot."""
    last_seen = _last_seen(now)
    return last_seen if last_seen is not None and last_seen <= then.as_of else None


def milestones(then: Snapshot, now: Snapshot) -> str:
    """Which milestones were reached, or stopped counting because the settings changed."""
    before, after = then.facts[Component.MILESTONES], now.facts[Component.MILESTONES]
    reached_before = {milestone["name"] for milestone in before["reached"]}
    reached_after = {milestone["name"] for milestone in after["reached"]}
    if now.components[Component.MILESTONES] < then.components[Component.MILESTONES]:
        lost = [milestone["name"] for milestone in before["reached"] if milestone["name"] not in reached_after]
        return f"the milestones in the settings changed: {listed_shortly(lost)} no longer counts"
    gained = [milestone for milestone in after["reached"] if milestone["name"] not in reached_before]
    names = listed_shortly([milestone["name"] for milestone in gained])
    if not any(milestone["name"] in before["configured"] for milestone in gained):
        return f"the milestones in the settings changed: {names}, reached before, counts now"
    if len(gained) > 1:
        return f"{len(gained)} milestones reached: {names}"
    which = "milestone" if reached_before else "first milestone"
    return f"{which} reached: {names}, on {moment(parse_instant(gained[0]['at']))}"


def engagement(then: Snapshot, now: Snapshot, *, silence_named: bool = False) -> str:
    """Whether sessions became longer or shorter, deeper or shallower, or days of use more or fewer.

    Without new sessions, averages move (and may rise) because old sessions leave the window; the cause then says so.
    """
    before, after = then.facts[Component.ENGAGEMENT], now.facts[Component.ENGAGEMENT]
    if not after["sessions"] and before["sessions"]:
        return f"no session left in the last {WINDOW_DAYS} days, after {before['sessions']:,} by {then.day}"
    if after["sessions"] and not before["sessions"]:
        return f"{counted(after['sessions'], 'session')} in the last {WINDOW_DAYS} days, after none by {then.day}"
    sign = 1 if now.components[Component.ENGAGEMENT] > then.components[Component.ENGAGEMENT] else -1
    points_before, points_after = _term_points(before), _term_points(after)
    moves = {name: sign * (points_after[name] - points_before[name]) for name in points_after}
    first, *others = sorted(moves, key=lambda name: -moves[name])
    named = [first, *(name for name in others if moves[name] >= SIDE_CAUSE_POINTS)]
    silent_since = _silent_since(then, now)
    if silent_since is not None and after["sessions"] < before["sessions"]:
        since = "" if silence_named else f"no event since {moment(silent_since)}, while "
        causes = _causes_in_silence(named, before, after, since, rose=sign > 0)
    else:
        causes = [_term_cause(name, before, after, rose=sign > 0) for name in named]
    return "; ".join(causes)


def _term_points(facts: Mapping[str, Any]) -> dict[str, Fraction]:
    session_ms = round(facts["session_seconds"] * 1000)
    return term_points(engagement_terms(facts["sessions"], facts["session_events"], session_ms, facts["days_active"]))


def _term_cause(name: str, before: Mapping[str, Any], after: Mapping[str, Any], *, rose: bool) -> str:
    if name == CONSISTENCY:
        days = f"{before['days_active']} → {after['days_active']} of {WINDOW_DAYS}"
        return f"{'more' if rose else 'fewer'} active days: {days}"
    change, word = _change(name, before, after), _TERM_WORDS[name][rose]
    return f"sessions got {word if '→' in change else f'slightly {word}'}: {change} on average"


def _causes_in_silence(
    names: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any], since: str, *, rose: bool
) -> list[str]:
    """The terms' causes where sessions left the window and no new ones came."""
    averages = [name for name in names if name != CONSISTENCY]
    causes = [_term_cause(name, before, after, rose=rose) for name in names if name == CONSISTENCY]
    if averages:
        # An average rises when sessions below it leave, and falls when those above it do.
        left = listed([_TERM_WORDS[name][not rose] for name in averages])
        changes = ", ".join(_change(name, before, after) for name in averages)
        causes.insert(0, f"{since}{left} sessions left the window ({changes} on average)")
    return causes


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The change of the average session: "5 → 2.5 events", or only "5 events" where both figures look the same."""
    old, new = _average(name, before), _average(name, after)
    unit = "" if name == LENGTH else " event" if new == "1" else " events"
    return f"{new}{unit}" if old == new else f"{old} → {new}{unit}"


_TERM_WORDS = {LENGTH: ("shorter", "longer"), DEPTH: ("shallower", "deeper")}


def _average(name: str, facts: Mapping[str, Any]) -> str:
    """The average session's length with its unit, or its number of events without."""
    if name == LENGTH:
        return span(Fraction(round(facts["session_seconds"] * 1000), 1000 * facts["sessions"]))
    return figure(Fraction(facts["session_events"], facts["sessions"]))
