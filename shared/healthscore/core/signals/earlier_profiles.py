"""What was known of an account at earlier times, as far as rules read it: a past night is judged by that (rule 4).

What holds now is in the account's profile and CRM facts. Each change adds what it has changed, as it was before, with
the instant until which that held. So the past is read backwards from what holds now, and the two cannot disagree.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.stored_size import stored_size

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Fields = Mapping[str, Any]
    """What rules read, by short names; what is not known, or is as by default, is missing."""
    Earlier = Sequence[tuple[int, Fields]]
    """Changes, oldest first: an instant in milliseconds, and what held until then of that which changed; null for what
    was not known."""

CADENCE, MODE, CHANNEL, CHAMPIONS, CREATED, CHURNED = "c", "m", "u", "h", "b", "x"
MAX_CHANGES, MAX_BYTES = 50, 4096
"""Of more, the oldest are forgotten: what held after them then holds for all time before. They are part of the
account's item, which every night writes."""
_PROFILE = {
    CADENCE: "expected_cadence_days",
    MODE: "usage_mode",
    CHANNEL: "usage_channel",
    CHAMPIONS: "champions",
    CREATED: "created_at",
}
_DEFAULTS: tuple[Any, ...] = (None, [], "continuous", "people", False)


def read_by_rules(profile: Mapping[str, Any], *, churned: bool | None = None) -> dict[str, Any]:
    """What rules read of an account.

    Args:
        profile: as it is shown, traits included.
        churned: whether the CRM says that the customer has left.
    """
    fields = {short: profile.get(name) for short, name in _PROFILE.items()} | {CHURNED: churned}
    return _known(fields)


def with_change(earlier: Earlier, before: Fields, after: Fields, at: int) -> list[tuple[int, Fields]] | None:
    """Add a change.

    Args:
        earlier: the changes before it.
        before: what rules read until now.
        after: what they read from now on.
        at: now, in milliseconds.

    Returns:
        The changes with this one; None where nothing changes that rules read.
    """
    changed = _difference(before, after)
    if not changed:
        return None
    last = earlier[-1][0] if earlier else at
    return _fitting([*earlier, (max(at, last), changed)])


def timeline(now: Fields, earlier: Earlier) -> list[tuple[int, Fields]]:
    """What rules read at all times, oldest first, each with the instant in milliseconds from which on; 0 for ever."""
    states: list[Fields] = [now]
    for _, changed in reversed(earlier):
        states.append(_known({**states[-1], **changed}))
    since = [0, *(until for until, _ in earlier)]
    return list(zip(since, reversed(states), strict=True))


def merged(
    goes_on: tuple[Fields, Earlier], given_up: tuple[Fields, Earlier], after: Fields
) -> list[tuple[int, Fields]]:
    """The changes of an account that another one is merged into.

    At every time, what is known of the account that goes on stays, and the other one fills what is not.

    Args:
        goes_on: what rules read of it now, and its changes.
        given_up: the same of the account that is given up for it.
        after: what rules read of the account that goes on after the merge.
    """
    one, other = timeline(*goes_on), timeline(*given_up)
    instants = sorted({since for since, _ in (*one, *other)})
    states: list[Fields] = [{**_at(other, instant), **_at(one, instant)} for instant in instants[:-1]]
    steps = zip(instants[1:], pairwise([*states, after]), strict=True)
    changes = [(until, _difference(before, then)) for until, (before, then) in steps]
    return _fitting([change for change in changes if change[1]])


def without_people(earlier: Earlier, user_ids: Collection[str]) -> list[tuple[int, Fields]]:
    """The changes without users who are erased."""
    return [
        (until, {**changed, CHAMPIONS: [one for one in changed[CHAMPIONS] if one not in user_ids] or None})
        if changed.get(CHAMPIONS)
        else (until, changed)
        for until, changed in earlier
    ]


def without_churned(now: Fields, earlier: Earlier) -> tuple[Fields, Earlier]:
    """What rules read of an account now and what held before, but for what the CRM says."""
    kept = [
        (until, {short: value for short, value in changed.items() if short != CHURNED}) for until, changed in earlier
    ]
    return {short: value for short, value in now.items() if short != CHURNED}, [one for one in kept if one[1]]


def _at(states: Sequence[tuple[int, Fields]], instant: int) -> Fields:
    return next(fields for since, fields in reversed(states) if since <= instant)


def _known(fields: Fields) -> dict[str, Any]:
    return {short: value for short, value in fields.items() if value not in _DEFAULTS}


def _difference(before: Fields, after: Fields) -> dict[str, Any]:
    """What changes, as it is before; in one order, since the text is compared."""
    return {short: before.get(short) for short in (*_PROFILE, CHURNED) if before.get(short) != after.get(short)}


def _fitting(changes: list[tuple[int, Fields]]) -> list[tuple[int, Fields]]:
    changes = changes[-MAX_CHANGES:]
    while changes and stored_size(changes) > MAX_BYTES:
        del changes[0]
    return changes
