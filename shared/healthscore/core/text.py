"""Figures in plain English: counts, lists, moments and spans of time, for explanations and alerts."""

from __future__ import annotations

import unicodedata
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from healthscore.core.rounding import decimal_number, round_half_up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from fractions import Fraction

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_JOINERS = "\u200c\u200d"


def counted(number: Fraction | int, noun: str) -> str:
    """A number, to one decimal, with its noun: "1 event", "4.7 events", "1,200 events"."""
    shown = figure(number)
    return f"{shown} {noun}" if shown == "1" else f"{shown} {noun}s"


def listed(items: Sequence[str]) -> str:
    """A list in a sentence: "a", "a and b", "a, b and c". There is at least one item."""
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last


def capitalized(text: str) -> str:
    """The text with a capital first letter."""
    return f"{text[:1].upper()}{text[1:]}"


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop."""
    return f"{capitalized(text)}."


def one_line(text: str) -> str:
    """The text on one line, single-spaced, without characters that are not seen or turn the text around.

    Joiners inside words stay, since some scripts are spelt with them.
    """
    if text.isascii() and text.isprintable():  # as nearly all are
        return " ".join(text.split())
    seen = (" " if character.isspace() else "" if _is_unseen(character) else character for character in text)
    return " ".join("".join(seen).split())


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} and character not in _JOINERS


def figure(value: Fraction | int) -> str:
    """A figure to one decimal, rounded half up, without a trailing zero: "4.7", "10"."""
    return f"{decimal_number(value):,.1f}".removesuffix(".0")


def signed(value: Fraction | int) -> str:
    """A change to one decimal, with its sign: "+4.7", "-10"."""
    return f"{'+' if value > 0 else ''}{figure(value)}"


def moment(at: datetime) -> str:
    """An instant to the minute, in UTC, which is the same for every reader: "2026-11-12 22:10 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(seconds: Fraction | int) -> str:
    """A short duration, rounded half up to the second: "45 s", "2 min 30 s", "5 min"."""
    minutes, rest = divmod(round_half_up(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes:,} min {rest} s" if rest else f"{minutes:,} min"


def elapsed(time: timedelta) -> str:
    """How long ago something was, never rounded up: "3 days 12 hours", "just over 3 days", "5 minutes".

    "Just over" marks less than an hour beyond whole days, since scoring tiers end on whole days.
    """
    days, rest = divmod(time, _DAY)
    hours, rest_of_hour = divmod(rest, _HOUR)
    if days:
        if hours:
            return f"{counted(days, 'day')} {counted(hours, 'hour')}"
        return f"just over {counted(days, 'day')}" if rest else counted(days, "day")
    minutes = rest_of_hour // _MINUTE
    if hours:
        return f"{counted(hours, 'hour')} {counted(minutes, 'minute')}" if minutes else counted(hours, "hour")
    return counted(minutes, "minute") if minutes else "less than a minute"
