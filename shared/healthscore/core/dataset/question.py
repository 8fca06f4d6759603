"""What a client asks of the book: which accounts, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.dataset.columns import COLUMNS

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.dataset.columns import Column

    Value = str | int | float | bool | date | datetime

OF_THE_NIGHT = frozenset({"night", "as_of", "recorded_at", "schema", "model"})
"""The columns that tell of the night and not of the account."""
SHOWN = {column.name: column for column in COLUMNS if column.name not in OF_THE_NIGHT}
"""The columns that the book shows, by name: each can be filtered by, and be sorted by."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a column must hold; what is None or empty does not matter."""

    column: Column
    one_of: tuple[Value, ...] = ()
    least: Value | None = None
    most: Value | None = None
    known: bool | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """By what accounts are ordered; those of which it is not known come last, in whatever direction."""

    column: Column
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Which accounts, and in which order; accounts that are equal in all of it are ordered by their ids."""

    filters: tuple[Filter, ...] = ()
    q: str | None = None
    """A part of the name or of the id, without case and accents."""
    orders: tuple[Order, ...] = ()
