"""Text in the alphabets that mail subjects (ASCII) and SMS (GSM 03.38) can carry."""

from __future__ import annotations

import unicodedata

GSM_BEYOND_ASCII = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà¡¤"
"""Characters beyond ASCII of the GSM alphabet that count as one."""

_GSM_LACKS = str.maketrans("[]{}\\|~`", "()()//-'", "^")
"""ASCII that the GSM alphabet does not have, or only as two characters."""

_WRITTEN_OUT = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "€": "EUR", "£": "GBP", "→": "->"}
    | dict(zip("øØđĐðÐłŁı−–—‘’“”„·×⁄", 'oOdDdDlLi---\'\'"""-x/', strict=True))  # noqa: RUF001  (look-alikes are the point)
)
"""Characters that are not ASCII even without their accents."""


def to_ascii(text: str) -> str:
    """The text in printable ASCII: without accents, some letters and signs written out, the rest left out."""
    plain = unicodedata.normalize("NFKD", text.translate(_WRITTEN_OUT)).translate(_WRITTEN_OUT)
    return "".join(_printable_ascii(character) for character in plain)


def to_gsm(text: str) -> str:
    """The text in characters of the GSM alphabet that count as one; others become ASCII as in `to_ascii`."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        character if character in GSM_BEYOND_ASCII else to_ascii(character).translate(_GSM_LACKS)
        for character in composed
    )


def one_line(text: str) -> str:
    """The text on one line, single-spaced, with no space at either end."""
    return " ".join(text.split())


def cut(text: str, characters: int) -> str:
    """The text, where it is too long cut after a word and ended with "..."; one word that is too long is cut inside.

    Args:
        text: any text.
        characters: the length of the result, at most.
    """
    if len(text) <= characters:
        return text
    kept = text[: characters - len("...") + 1]
    return (kept.rpartition(" ")[0] or kept[:-1]).rstrip(" ,;:.") + "..."


def _printable_ascii(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    return " " if character.isspace() else ""
