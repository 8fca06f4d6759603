"""Files that are answered as they are: gzip where the client accepts it, and 304 where it has them already.

A `StaticFile` is read once for the life of a process. The layer carries long files gzipped, as `name.gz`, so that
answering them takes no time for compressing.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING

from healthscore.http.route import FileAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LEVEL = 9
_WEIGHT_OF_ZERO = re.compile(r"q=0(\.0*)?")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file and the headers of its answer.

    Attributes:
        compressed: its bytes, gzipped.
        content_type: with its charset.
        headers: further headers of the answer, such as a Content-Security-Policy.
        etag: follows from the bytes. It is weak, since both forms of the file share it.
    """

    compressed: bytes = field(repr=False)
    content_type: str
    headers: Mapping[str, str]
    etag: str


def static_file(content: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> StaticFile:
    """Make a static file of bytes that are not compressed."""
    return _of_gzip(gzip.compress(content, _LEVEL, mtime=0), content_type, headers or {})


def read_static_file(path: Path, content_type: str, headers: Mapping[str, str] | None = None) -> StaticFile:
    """Read a static file, or its `.gz` where only that is there, as in the layer.

    Raises:
        FileNotFoundError: there is neither.
    """
    packed = path.with_name(f"{path.name}.gz")
    if packed.exists():
        return _of_gzip(packed.read_bytes(), content_type, headers or {})
    return static_file(path.read_bytes(), content_type, headers)


def answer(file: StaticFile, accept_encoding: str, if_none_match: str) -> FileAnswer:
    """Answer a GET of a file.

    Args:
        file: what is asked for.
        accept_encoding: the request's header of that name; empty where there is none.
        if_none_match: the request's `If-None-Match`; empty where there is none.

    Returns:
        200 with the file, gzipped where the client accepts gzip, or 304 without a body where it has this very file.
        Caches keep it for five minutes and then ask whether it is still the same.
    """
    headers = {
        # Also with 304: where a gateway adds a type of its own, caches would take that for the file's.
        "Content-Type": file.content_type,
        "Cache-Control": "public, max-age=300",
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        **file.headers,
    }
    if _has(if_none_match, file.etag):
        return FileAnswer(HTTPStatus.NOT_MODIFIED, headers, b"")
    if accepts_gzip(accept_encoding):
        return FileAnswer(HTTPStatus.OK, {**headers, "Content-Encoding": "gzip"}, file.compressed)
    return FileAnswer(HTTPStatus.OK, headers, gzip.decompress(file.compressed))


def accepts_gzip(accept_encoding: str) -> bool:
    """Read an Accept-Encoding header (RFC 9110, 12.5.3).

    >>> accepts_gzip("br;q=1.0, gzip;q=0.8, *;q=0.1")
    True
    >>> accepts_gzip("identity")
    False
    """
    weights: dict[str, str] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        weights[coding.strip()] = weight.replace(" ", "")
    weight = weights.get("gzip", weights.get("*", "q=0"))
    return _WEIGHT_OF_ZERO.fullmatch(weight) is None


def _has(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header names the tag. Tags are compared weakly, as RFC 9110, 13.1.2, asks."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def _of_gzip(compressed: bytes, content_type: str, headers: Mapping[str, str]) -> StaticFile:
    return StaticFile(compressed, content_type, headers, f'W/"{sha256(compressed).hexdigest()[:32]}"')
