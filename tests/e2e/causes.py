"""Why a score moved between two nights according to the raw events, and the words that the cause must contain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.e2e.naive import Event, Score


def required_words(component: str, then: Score, now: Score, fresh: Sequence[Event]) -> list[str]:
    """The words that the cause of a component's change must contain to be true.

    Args:
        component: one whose score differs between the two nights.
        then: the earlier night.
        now: the later night.
        fresh: the events between the two.
    """
    return {"activity": _activity, "engagement": _engagement, "milestones": _milestones, "recency": _recency}[
        component
    ](then, now, fresh)


def _activity(then: Score, now: Score, fresh: Sequence[Event]) -> list[str]:
    change = f"{then.events:,} → {now.events:,} event"
    if now.events < then.events:
        return ["less use" if fresh else _silence(now), change]
    if not then.events:
        return ["began again" if then.last_seen else "first use", change]
    return ["burst" if now.events - then.events >= 10 and now.events >= 2 * then.events else "more use", change]


def _engagement(then: Score, now: Score, fresh: Sequence[Event]) -> list[str]:
    if not now.sessions:
        return ["no session left"]
    if not then.sessions:
        return [f"{now.sessions} session", "after none"]
    rose = now.components["engagement"] > then.components["engagement"]
    moved = {name: (now.terms[name] - then.terms[name]) * (1 if rose else -1) for name in now.terms}
    most = max(moved, key=lambda name: moved[name])
    if most == "days":
        return [f"{'more' if rose else 'fewer'} active days: {then.days_active} → {now.days_active} of 30"]
    less, more = {"length": ("shorter", "longer"), "depth": ("shallower", "deeper")}[most]
    if fresh or now.sessions >= then.sessions:
        return [f"got {more if rose else less}"]
    return [_silence(now), less if rose else more, "left the window"]


def _milestones(then: Score, now: Score, _fresh: Sequence[Event]) -> list[str]:
    return [name for at, name in now.reached if at > then.as_of]


def _recency(_then: Score, now: Score, fresh: Sequence[Event]) -> list[str]:
    if not fresh:
        return [_silence(now)]
    return [f"on {now.last_seen:%Y-%m-%d %H:%M} UTC"]


def _silence(now: Score) -> str:
    return f"no event since {now.last_seen:%Y-%m-%d %H:%M} UTC"
