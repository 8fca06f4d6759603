"""How often the nights of a rule are right, over all accounts of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tools.backtest.outcomes import BEFORE_LAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tools.backtest.outcomes import Outcome

FLAGGED = (0, 14, 30, 45)
"""Days after the last event."""
SEEN = (28, 42)
"""Days after a break."""


class Measures(NamedTuple):
    """The figures of a line: of shares, percent; of alerts, how many an account and year."""

    false: float
    contraction: float
    flagged: tuple[float, ...]
    """Of the accounts that left, on the last day and 14, 30 and 45 days after."""
    useful: float
    false_steady: float
    seen: tuple[float, ...]
    """Of the breaks, 28 and 42 days after."""
    seen_steady: tuple[float, ...]
    on: float
    """Of the judged nights, those with the alert on."""


class Pattern(NamedTuple):
    """How often the findings of a detector are right, in percent."""

    detector: str
    findings: int
    left: float
    """The last event came within 90 days, or had come already."""
    contraction: float
    """The use of the next 91 days was at most half of that before."""
    neither: float


def patterns(accounts: Iterable[tuple[Outcome, Sequence[tuple[str, int]]]]) -> list[Pattern]:
    """Judge the findings of each detector, those that are seldom wrong first.

    Args:
        accounts: each account's outcome, and the detector and the day of each of its findings that was yellow or red.
    """
    counts: dict[str, list[int]] = {}
    for outcome, findings in accounts:
        if outcome.judged is None:
            continue
        for detector, day in findings:
            near_the_end = day >= outcome.last - BEFORE_LAST
            if day < outcome.judged or (near_the_end and not outcome.left):  # what comes next is not known yet
                continue
            left = near_the_end
            found = counts.setdefault(detector, [0, 0, 0])
            found[0 if left else 1 if outcome.is_contraction(day) else 2] += 1
    lines = [
        Pattern(detector, sum(found), *(100 * number / sum(found) for number in found))
        for detector, found in counts.items()
    ]
    return sorted(lines, key=lambda line: (line.neither, line.detector))


def stretches(on: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of nights with an alert, each with the first night of it and the first one after it."""
    first = on.find(1, start, end)
    while first >= 0:
        after = on.find(0, first, end)
        after = end if after < 0 else after
        yield first, after
        first = on.find(1, after, end)


def measure(accounts: Iterable[tuple[Outcome, bytes]]) -> Measures:
    """Judge the nights of a rule.

    Args:
        accounts: each account's outcome, and for each of its days whether the alert was on in the night after it.
    """
    false = contractions = false_steady = announced = left = nights = nights_on = 0
    years = steady_years = 0.0
    flagged = [0] * len(FLAGGED)
    breaks: list[tuple[bool, tuple[bool, ...]]] = []
    for outcome, on in accounts:
        if outcome.judged is None:
            continue
        years += outcome.years
        steady_years += outcome.steady_years
        nights += max(0, outcome.end - outcome.judged)
        warned = False
        for first, after in stretches(on, outcome.judged, outcome.end):
            nights_on += after - first
            warned = warned or after > outcome.last - BEFORE_LAST
            if first >= outcome.last - BEFORE_LAST:
                continue
            if outcome.is_contraction(first):
                contractions += 1
            else:
                false += 1
                false_steady += outcome.steady[first]
        if outcome.left:
            left += 1
            announced += warned
            for at, days in enumerate(FLAGGED):
                flagged[at] += on[outcome.last + days]
        breaks += [
            (found.steady, tuple(found.day + days < outcome.end and bool(on[found.day + days]) for days in SEEN))
            for found in outcome.breaks
        ]
    return Measures(
        false=_ratio(false, years),
        contraction=_ratio(contractions, years),
        flagged=tuple(100 * _ratio(number, left) for number in flagged),
        useful=100 * _ratio(announced + contractions, announced + contractions + false),
        false_steady=_ratio(false_steady, steady_years),
        seen=_shares([seen for _, seen in breaks]),
        seen_steady=_shares([seen for steady, seen in breaks if steady]),
        on=100 * _ratio(nights_on, nights),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0


def _shares(seen: list[tuple[bool, ...]]) -> tuple[float, ...]:
    return tuple(100 * _ratio(sum(each[at] for each in seen), len(seen)) for at in range(len(SEEN)))
