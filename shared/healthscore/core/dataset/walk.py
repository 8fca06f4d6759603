"""Walks through the pages of the book: what their cursors hold, and what a page is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

Key = str | int | float | None
"""An account's value of an order, as JSON has it."""


class NoSuchNightError(Exception):
    """There is no dataset of this night."""


class WalkOverError(Exception):
    """A walk cannot go on: its night was made again, or it began more than a day ago."""


class Walk(NamedTuple):
    """What a walk goes through."""

    night: date | None
    """The night; None where there was none."""
    run: str
    """The run that made it."""
    overlay: str
    """The name under which is kept what had changed when the walk began; empty where nothing had."""
    at: int
    """When the walk began, in milliseconds since the Unix epoch."""


class Place(NamedTuple):
    """Where a page of a walk ends."""

    walk: Walk
    keys: tuple[Key, ...]
    """The last account's values of the order."""
    account_id: str


class Page(NamedTuple):
    """A page of the book."""

    night: date | None
    """The night; None where there is none yet."""
    as_of: datetime | None
    """The instant that it scores, aware."""
    rows: list[Mapping[str, Any]]
    """The shown columns of each account by their names, as JSON values."""
    after: Place | None
    """Where the next page begins; None where this is the last."""
