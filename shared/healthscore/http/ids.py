"""Which texts may be the id of an account, an event, a user or a session, and which the name of an event."""

from __future__ import annotations

import unicodedata
from typing import Literal

from healthscore.http.plain import has_control_characters

MAX_ACCOUNT_ID = 200
MAX_EVENT_ID = 100
MAX_USER_ID = 200
MAX_NAME = 200
_EMOJI_PARTS = frozenset("\N{VARIATION SELECTOR-15}\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}")
_PICTOGRAPHS = range(0x1F000, 0x20000)


def id_fault(text: str, longest: int) -> tuple[Literal["invalid_id", "too_long"], str] | None:
    """Why a text cannot be an id, or None where it can.

    Ids are compared character by character and are read out by people, so whatever cannot be seen or typed is kept out:
    control and other unprintable characters, lone surrogates, emoji and other pictorial symbols.

    Args:
        text: as `normalised` gives it.
        longest: the most characters that it may have.

    Returns:
        A code (`invalid_id` or `too_long`) and the rest of a sentence that starts with the field's name.
    """
    if not text:
        return "invalid_id", "must not be empty"
    if len(text) > longest:
        return "too_long", f"must not be longer than {longest} characters; it has {len(text)}"
    if not text.isprintable():
        return "invalid_id", "must not contain control or other invisible characters"
    if not text.isascii() and any(map(_is_pictorial, text)):
        return "invalid_id", "must not contain emoji or other pictorial symbols"
    return None


def name_fault(name: str) -> tuple[Literal["invalid_name", "too_long"], str] | None:
    """Why a text cannot be the name of an event, or None where it can; names are free text, emoji included.

    Args:
        name: as `normalised` gives it.

    Returns:
        A code (`invalid_name` or `too_long`) and the rest of a sentence that starts with the field's name.
    """
    if len(name) > MAX_NAME:
        return "too_long", f"must not be longer than {MAX_NAME} characters; it has {len(name)}"
    if not name:
        return "invalid_name", "must not be empty"
    if has_control_characters(name):
        return "invalid_name", "must not contain control characters or broken Unicode"
    return None


def _is_pictorial(character: str) -> bool:
    return unicodedata.category(character) == "So" or character in _EMOJI_PARTS or ord(character) in _PICTOGRAPHS
