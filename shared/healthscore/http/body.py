"""From the bytes of a request to a JSON value, whatever the sender's headers claim about them."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, NoReturn

from healthscore.http.errors import BODY_TOO_LARGE, ApiError, invalid_json

MAX_BODY_BYTES = 5 * 1024 * 1024
"""Largest body, counted after inflating."""
MAX_GZIP_MEMBERS = 100
"""Some senders gzip line by line and concatenate; a body of millions of empty members would only burn time."""
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = zlib.MAX_WBITS | 16
_IN_SIGHT = 64 * 1024
"""How much of a body's beginning and end is looked at before its sender is known."""
_INFLATED_UNREAD = 1024 * 1024
"""How much is inflated before its sender is known, to see the end: clients compress at most 500 KB of calls."""
_WRITE_KEY = re.compile(rb'"writeKey"\s{0,9}:\s{0,9}"([!#-\[\]-~]{1,200})"')
_LONGEST_INT = 200
"""As long as the longest id, which some senders write as a number."""


def read_json(body: bytes) -> Any:  # noqa: ANN401  (any JSON value)
    """Read a request body as JSON.

    Content-Type and Content-Encoding are ignored: browsers and proxies set them wrongly. A body is gzip when it
    starts like gzip.

    Args:
        body: the bytes as sent, plain or gzip (one member or several), UTF-8 with or without a byte order mark.

    Returns:
        The JSON value. Of a name that occurs twice in one object the last value counts.

    Raises:
        ApiError: 413 `body_too_large` beyond `MAX_BODY_BYTES`, without inflating further; 400 `invalid_json` otherwise.
    """
    plain = inflate(body) if body.startswith(_GZIP_MAGIC) else body
    if len(plain) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid_json(f"The body must be UTF-8: the byte at position {error.start} is not.") from None
    if not text.strip():
        raise invalid_json("The body is empty; a JSON object is expected.")
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_int)
    except json.JSONDecodeError as error:
        raise invalid_json(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise invalid_json("The body nests objects or lists too deeply.") from None


def inflate(body: bytes) -> bytes:
    """Inflate a gzip body of one or more members, stopping at the first byte beyond `MAX_BODY_BYTES`.

    Raises:
        ApiError: 413 `body_too_large`, or 400 `invalid_json` where it is damaged or cut off.
    """
    plain = bytearray()
    rest = body
    for _ in range(MAX_GZIP_MEMBERS):
        member = zlib.decompressobj(wbits=_GZIP_WINDOW)
        try:
            plain += member.decompress(rest, MAX_BODY_BYTES + 1 - len(plain))
        except zlib.error:
            raise invalid_json("The body starts like gzip, but is damaged.") from None
        if len(plain) > MAX_BODY_BYTES:
            raise _too_large()
        if not member.eof:
            raise invalid_json("The gzip body is cut off before its end.")
        rest = member.unused_data.lstrip(b"\0")  # padding after the last member is legal
        if not rest:
            return bytes(plain)
    raise invalid_json(f"The gzip body has more than {MAX_GZIP_MEMBERS} members; send one.")


def written_keys(body: bytes) -> list[str]:
    """What looks like a key at the beginning or at the end of a body that is not parsed yet; at most two.

    Clients write it before their calls or behind them. Of a compressed body, no more is inflated than clients send.
    """
    first, last = _ends_of_gzip(body) if body.startswith(_GZIP_MAGIC) else (body[:_IN_SIGHT], body[-_IN_SIGHT:])
    found = [*_WRITE_KEY.findall(first)[:1], *_WRITE_KEY.findall(last)[-1:]]
    return list(dict.fromkeys(key.decode() for key in found))


def _ends_of_gzip(body: bytes) -> tuple[bytes, bytes]:
    """The beginning of a compressed body, and its end where that is not too far from there."""
    member = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        plain = member.decompress(body, _INFLATED_UNREAD)
    except zlib.error:
        return b"", b""
    return plain[:_IN_SIGHT], plain[-_IN_SIGHT:] if member.eof else b""


def _too_large() -> ApiError:
    return ApiError(
        BODY_TOO_LARGE,
        f"The body is larger than {MAX_BODY_BYTES} bytes after inflating. Split it into several requests.",
    )


def _refuse_constant(name: str) -> NoReturn:
    raise invalid_json(f"The body is not JSON: {name} is no JSON number; leave the field out or send null.")


def _parse_int(digits: str) -> int | float:
    """An integer; one of absurd length becomes an infinite float: its field is refused, not the whole batch."""
    return int(digits) if len(digits) <= _LONGEST_INT else float(digits)
