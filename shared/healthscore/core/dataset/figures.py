"""Figures of a night for a group of accounts: how many are in each band, what they pay, and what has changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.core.model import Band

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_GROUPS = 200
"""A night's groups; the smallest of more are one."""
UNSCORED = "unscored"
BANDS = (*(band.value for band in Band), UNSCORED)


@dataclass(slots=True)
class Figures:
    """The figures of one group."""

    group: str | None
    """What its accounts have in common; None where that is not known, and for all accounts."""
    others: bool = False
    """Whether it is the rest, beyond the groups that are told apart."""
    accounts: Counter[str] = field(default_factory=Counter)
    """By band."""
    arr_cents: Counter[str] = field(default_factory=Counter)
    """By band; in whole cents, so that the order of adding does not matter."""
    moves: Counter[str] = field(default_factory=Counter)
    """Accounts that changed their band since the night before, by `from>to`; `>to` are new, `from>` are gone."""
    alerts: Counter[str] = field(default_factory=Counter)
    """Of the night's day, by kind."""

    @property
    def size(self) -> int:
        """How many accounts it has."""
        return self.accounts.total()

    def add(self, other: Figures) -> None:
        """Add another group's figures."""
        self.accounts.update(other.accounts)
        self.arr_cents.update(other.arr_cents)
        self.moves.update(other.moves)
        self.alerts.update(other.alerts)

    def to_row(self) -> dict[str, Any]:
        """The columns of a file's row."""
        return {
            "group": self.group,
            "others": self.others,
            "accounts": self.size,
            "arr": self.arr_cents.total() / 100,
            **{band: self.accounts[band] for band in BANDS},
            **{f"{band}_arr": self.arr_cents[band] / 100 for band in BANDS},
            "moves": dict(self.moves),
            "alerts": dict(self.alerts),
        }


def largest(groups: Iterable[Figures]) -> list[Figures]:
    """The largest groups, by their accounts, and all others as one."""
    ordered = sorted(groups, key=lambda one: (-one.size, one.group is None, one.group or ""))
    kept, rest = ordered[:MOST_GROUPS], ordered[MOST_GROUPS:]
    if rest:
        others = Figures(None, others=True)
        for one in rest:
            others.add(one)
        kept.append(others)
    return kept
