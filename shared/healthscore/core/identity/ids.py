"""How ids are written: the one form in which they are compared and kept, and the texts that name nobody.

A program that has no id at hand often sends the text for "none" instead. Taken as an id, it would join strangers:
everyone whose id was `undefined` would be one person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Collection

PLACEHOLDERS = frozenset(
    {
        # nothing, in the words of programming languages, databases and spreadsheets
        *("undefined", "null", "nil", "none", "nan", "n/a", "#n/a", "not set"),
        *("true", "false", "-1", "-1.0"),
        # whoever has not signed in
        *("anonymous", "anonymous user", "guest", "guest user", "unknown", "unknown user", "not_authenticated"),
        # the name of the id in place of the id
        *("distinct_id", "user_id", "userid", "anonymous_id", "anonymousid", "group_id", "groupid", "account_id"),
    }
)
"""Texts that name nobody, as `folded` writes them and without brackets and quotes around them. Besides these: nothing,
zeros and dashes alone (such as an all-zero UUID), and JavaScript's names of objects."""
_LONGEST = 800
"""Longer texts are not composed. At most four characters become one, so that none of these is an id, which has at most
200; and composing takes time by the square of a run of combining marks."""
_AROUND = "\"'`()<>[]{}"
_FIRST = frozenset(f"{_AROUND}0-.")
"""What an id begins with where it has to be looked at closely. Most have none of them, and cost little."""
_OBJECT = "[object "


def normalised(text: str) -> str:
    """A text as it is compared and kept as an id or a name: without white space at its ends, in Unicode's form NFC."""
    text = text.strip()
    return text if text.isascii() or len(text) > _LONGEST else normalize("NFC", text)


def folded(text: str) -> str:
    """A text as it is compared with texts that name nobody: normalised, and without case."""
    return normalised(text).casefold()


def names_nobody(text: str, more: Collection[str] = ()) -> bool:
    """Whether a text in the place of an id stands for nobody, such as `undefined`.

    Args:
        text: as it was sent.
        more: further texts that name nobody, as `folded` writes them.

    >>> names_nobody(" NULL "), names_nobody("00000000-0000-0000-0000-000000000000"), names_nobody("nulla")
    (True, True, False)
    """
    text = folded(text)
    if not text or text in PLACEHOLDERS or text in more:
        return True
    if text[0] not in _FIRST:
        return False
    bare = text.strip(_AROUND).strip()
    if not bare.removeprefix("0x").strip("0-."):
        return not bare or bool(bare.strip("."))  # an id may be a dot
    return bare in PLACEHOLDERS or text.startswith(_OBJECT)
