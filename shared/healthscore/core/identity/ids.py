"""How ids are written: the one form in which they are compared and kept."""

from __future__ import annotations

from unicodedata import normalize

_LONGEST = 800
"""Longer texts are not composed. At most four characters become one, so that none of these is an id, which has at most
200; and composing takes time by the square of a run of combining marks."""


def normalised(text: str) -> str:
    """A text as it is compared and kept as an id or a name: without white space at its ends, in Unicode's form NFC."""
    text = text.strip()
    return text if text.isascii() or len(text) > _LONGEST else normalize("NFC", text)
