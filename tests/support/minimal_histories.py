"""Makes a history that fails small, and shows it so that a person can follow it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.identity_histories import History, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.identity_histories import Step
    from tests.support.identity_judge import Call

SECONDS = 30.0
_OPTIONAL = ("context", "properties", "traits", "userId", "anonymousId", "groupId")


def minimal(history: History, faults: Callable[[History], list[str]], seconds: float = SECONDS) -> History:
    """The smallest history found that still fails: no step, fate, call or field of it can be left out.

    Args:
        history: one that fails.
        faults: runs a history; what is wrong with it, nothing where it is right.
        seconds: how long to go on; the smallest until then is the answer.
    """
    until = time.monotonic() + seconds
    found = True
    while found:
        found = False
        for smaller in _smaller(history):
            if time.monotonic() > until:
                return history
            if faults(smaller):
                history, found = smaller, True
                break
    return _numbered(history)


def _smaller(history: History) -> Iterator[History]:
    """Histories with a little less, those with much less first."""
    steps = history.steps
    yield from _with_steps(history, _without_parts(steps))
    for number in _delivered(history):
        yield _with_calls(history, {number})
    if any(step.fate for step in steps):
        yield replace(history, steps=tuple(replace(step, fate=None) for step in steps))
    for i, step in enumerate(steps):
        if step.fate is not None:
            yield replace(history, steps=(*steps[:i], replace(step, fate=None), *steps[i + 1 :]))
        if i and step.calls and steps[i - 1].calls:
            joined = replace(step, calls=tuple(dict.fromkeys((*steps[i - 1].calls, *step.calls))))
            yield replace(history, steps=(*steps[: i - 1], joined, *steps[i + 1 :]))
    for number in _delivered(history):
        for field in _OPTIONAL:
            if field in history.calls[number]:
                yield _with_call(history, number, {**history.calls[number]}, field)


def _without_parts(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Steps without halves, quarters and so on of them."""
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps), size):
            yield (*steps[:start], *steps[start + size :])
        size //= 2


def _with_steps(history: History, choices: Iterator[tuple[Step, ...]]) -> Iterator[History]:
    return (replace(history, steps=steps) for steps in choices if steps)


def _delivered(history: History) -> list[int]:
    return sorted({number for step in history.steps for number in step.calls})


def _with_calls(history: History, dropped: set[int]) -> History:
    """A history without some calls; a step of which no call is left goes too."""
    left = [(step, tuple(number for number in step.calls if number not in dropped)) for step in history.steps]
    return replace(history, steps=tuple(replace(step, calls=kept) for step, kept in left if kept or not step.calls))


def _with_call(history: History, number: int, call: Call, without: str) -> History:
    del call[without]
    return replace(history, calls=(*history.calls[:number], call, *history.calls[number + 1 :]))


def _numbered(history: History) -> History:
    """The same history without the calls that no step delivers."""
    numbers = {old: new for new, old in enumerate(_delivered(history))}
    steps = tuple(replace(step, calls=tuple(numbers[number] for number in step.calls)) for step in history.steps)
    return History(tuple(history.calls[old] for old in numbers), steps)


def described(history: History, faults: list[str]) -> str:
    """A history and what is wrong with it, as text."""
    calls = [f"  {number:2}  {shown(call)}" for number, call in enumerate(history.calls)]
    steps = [f"  {number}. {_described(step)}" for number, step in enumerate(history.steps, 1)]
    return "\n".join(["calls", *calls, "steps", *steps, "wrong", *(f"  {fault}" for fault in faults)])


def _described(step: Step) -> str:
    without_calls = "merge {} into {}".format(*step.merge) if step.merge else "sweep"
    what = f"deliver {', '.join(map(str, step.calls))}" if step.calls else without_calls
    if step.fate is None:
        return what
    kind, at, later = step.fate
    waits = " and waits while the next step runs" if kind == "paused" else ""
    again = f", sent again after {later} more steps" if step.calls and not waits else ""
    return f"{what}, {kind} at its DynamoDB call {at}{waits}{again}"
