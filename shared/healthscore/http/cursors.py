"""Cursors: where the next page of a list begins, as text that the client sends back with the same question.

A cursor holds the place behind the last line of its page, and nothing is kept for it, so that it never expires. It
carries a checksum over itself and the question: changed, cut or handed in with other filters it is refused. That is no
secret; a place made up on purpose could only begin a page of what its key may read anyway.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import TYPE_CHECKING

from healthscore.http.errors import invalid_request
from healthscore.http.query import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.http.errors import ApiError
    from healthscore.http.request import Request

_CHECKSUM_BYTES = 6
_MAX_PLACE = 1024
"""Bytes: no sort key is longer, and one that is would be an error of the table and not of the question."""
CURSOR = Parameter(
    "cursor",
    "The cursor that the page before was answered with, with all other parameters as they were.",
    {"type": "string"},
)
"""The query parameter that `read_cursor` reads."""


def write_cursor(question: Iterable[str | None], place: str | None) -> str | None:
    """The cursor of a place in the answer to a question; None where there is no further page."""
    if place is None:
        return None
    data = place.encode()
    return base64.urlsafe_b64encode(_checksum(question, data) + data).rstrip(b"=").decode()


def read_cursor(request: Request, question: Iterable[str | None], most: int = _MAX_PLACE) -> str | None:
    """The place in the parameter `cursor`; None for the first page.

    Args:
        request: the request.
        question: what the cursors of the list have in common.
        most: bytes that a place of this list may have.

    Raises:
        ApiError: 400 `invalid_request`: it is no cursor of this list with these filters and this order.
    """
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        checksum, place = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
        known = checksum == _checksum(question, place) and text == write_cursor(question, place.decode())
        if known and 0 < len(place) <= most:
            return place.decode()
    except (binascii.Error, ValueError):
        pass
    raise no_cursor()


def no_cursor() -> ApiError:
    """The error of a cursor that no page of the list was answered with."""
    return invalid_request(
        "The cursor is none of this list with these filters and this order. Send it as it was answered, with all other "
        "parameters as they were; limit may change."
    )


def _checksum(question: Iterable[str | None], place: bytes) -> bytes:
    digest = blake2b(digest_size=_CHECKSUM_BYTES)
    for part in question:
        digest.update(b"-" if part is None else b"=" + str(len(part.encode())).encode() + b":" + part.encode())
    digest.update(b"#" + place)
    return digest.digest()
