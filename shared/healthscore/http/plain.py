"""Words for JSON values, and what no text that people read may contain."""

from __future__ import annotations

import re
from datetime import date

MAX_TEXT = 200
"""Characters of a line of text in a profile or a filter: no name, owner, plan or id is longer."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def kind_of(value: object) -> str:
    """The JSON kind of a value: `null`, `a boolean`, `a number`, `a string`, `a list` or `an object`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


def read_day(text: str) -> date:
    """Read a calendar day written `YYYY-MM-DD`, and in no other of the ways that Python would take.

    Raises:
        ValueError: the text is no such day; the message completes a sentence.
    """
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError("there is no such day") from None
    raise ValueError("it must be a date such as 2026-11-21")


def has_control_characters(text: str) -> bool:
    """Whether a text holds control characters, line separators or lone surrogates."""
    return not text.isprintable() and _CONTROL.search(text) is not None
