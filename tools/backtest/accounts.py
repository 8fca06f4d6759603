"""Reads accounts from files of daily use: one JSON line each, gzip; docs/early-warning.md describes the fields."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.model import MICROS
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.excused import Excused, quiet_weeks
from healthscore.core.signals.history import DayUse, fold
from healthscore.core.signals.model import ACTIVE_DAYS, INTEGRATION, VALUE, UsageChannel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from healthscore.core.signals.history import History

REVIEW = "review"
MILESTONES = ((4,), (5,), (8, 9))
"""The columns of code, of tests, and of merges and reviews: what the score of an account counts as reached."""
AFTER_LAST = 120
"""For so many days after its last event, an account that has left is simulated: longer, and no alert can be useful."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a file. Days are its own: 0 is that of its first event, which has the number `zero`."""

    name: str
    zero: int
    last: int
    """The day of its last event."""
    left: bool
    """Whether nothing came for 180 days after that."""
    known: int
    """The last day that was observed."""
    rows: tuple[tuple[int, int, int, int], ...]
    """Day, events, sessions and seconds of sessions of each active day."""
    milestones: tuple[int, ...]
    """When it first changed code, tests, and merged or reviewed, as far as it did."""
    history: History

    @property
    def end(self) -> int:
        """The first day that is not simulated."""
        return self.last + AFTER_LAST if self.left else self.last


def read(path: Path) -> Iterator[Account]:
    """Read the accounts of a file.

    Raises:
        ValueError: a line is not an account; the message names the line and says what is missing.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield account(json.loads(line))
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ValueError(f"line {number} of {path} is not an account: {error!r}") from error


def account(fields: dict[str, Any]) -> Account:
    """An account from the fields of its line."""
    zero = date.fromisoformat(fields["t0"]).toordinal()
    rows = fields["rows"]
    return Account(
        name=fields["a"],
        zero=zero,
        last=fields["last"],
        left=fields["churned"],
        known=date.fromisoformat(fields["end"]).toordinal() - zero,
        rows=tuple((day, events, sessions, seconds) for day, events, sessions, seconds, *_ in rows),
        milestones=tuple(
            min(days) for of in MILESTONES if (days := [row[0] for row in rows if any(row[column] for column in of)])
        ),
        history=fold(_use(zero, row) for row in rows),
    )


def _use(zero: int, row: list[Any]) -> DayUse:
    day, _, _, _, code, _, _, _, merge, review, _, users, areas = row
    return DayUse(
        day=zero + day,
        people=frozenset(f"{user:06d}" for user in users),  # so that the smaller id is the smaller number
        value=code * MICROS,
        integrations={REVIEW: (merge + review) * MICROS},
        features=frozenset(f"area {area}" for area in areas),
    )


def excused(accounts: Iterable[Account]) -> Excused:
    """The weeks that were quiet for all accounts of a file."""
    accounts = list(accounts)
    by_signal = {
        key: quiet_weeks((_active_weeks(each.history, key), _known(each)) for each in accounts)
        for key in (VALUE, INTEGRATION + REVIEW)
    }
    everybody = quiet_weeks((_active_weeks(each.history, ACTIVE_DAYS), _known(each)) for each in accounts)
    return Excused(everybody, by_signal)


def _known(of: Account) -> int:
    return week_of(of.zero + of.known + 1) - 1


def _active_weeks(history: History, key: str) -> frozenset[int]:
    """The complete weeks with something of a signal."""
    first = history.first_week or 0
    if key == ACTIVE_DAYS:
        return frozenset(week for day in history.days(UsageChannel.PEOPLE).days if (week := week_of(day)) >= first)
    return frozenset(week for week, value in history.weekly.get(key, {}).items() if value and week >= first)


def inputs(of: Account, weeks: Excused) -> Inputs:
    """What the nights know of an account."""
    return Inputs(history=of.history, excused=weeks)
