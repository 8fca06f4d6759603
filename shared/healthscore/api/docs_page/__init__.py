"""The API's page for people: Swagger UI, with an HTML page, a script and a style sheet of ours, which lie beside this.

Swagger UI's two files come with Powertools, which has them for a page of its own. All files are answered from the API's
own origin, and the page's policy lets a browser load from nowhere else.
"""

from __future__ import annotations

import gzip
from functools import cache, lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import aws_lambda_powertools

from healthscore.http import static_files

if TYPE_CHECKING:
    from healthscore.http.route import FileAnswer
    from healthscore.http.static_files import StaticFile

PAGE = "docs.html"
_FOLDER = Path(__file__).parent
_LIBRARY = Path(aws_lambda_powertools.__file__).parent / "event_handler" / "openapi" / "swagger_ui"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_OURS = frozenset({PAGE, "page.js", "page.css"})
_THEIRS = frozenset({"swagger-ui-bundle.min.js", "swagger-ui.min.css"})
FILES = _OURS | _THEIRS
"""The names of the page and of all that it loads beside the OpenAPI document."""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


def static_file(name: str, accept_encoding: str, if_none_match: str) -> FileAnswer:
    """Answer the page or a file of it.

    Args:
        name: one of `FILES`.
        accept_encoding: the request's header of that name; empty where there is none.
        if_none_match: likewise.

    Raises:
        KeyError: there is no file of this name.
    """
    if name not in FILES:
        raise KeyError(name)
    return static_files.answer(_read(name), accept_encoding, if_none_match)


def page(base_path: str, accept_encoding: str, if_none_match: str) -> FileAnswer:
    """Answer the page where a custom domain maps the API to a base path, such as `/scores`; empty for no such path."""
    return static_files.answer(_page(base_path), accept_encoding, if_none_match)


@lru_cache(maxsize=8)
def _page(base_path: str) -> StaticFile:
    file = _read(PAGE)
    if not base_path:
        return file
    moved = gzip.decompress(file.compressed).replace(b'"/v1/', f'"{escape(quote(base_path))}/v1/'.encode())
    return static_files.static_file(moved, file.content_type, _HEADERS)


@cache
def _read(name: str) -> StaticFile:
    path = (_FOLDER if name in _OURS else _LIBRARY) / name
    return static_files.read_static_file(path, f"{_TYPES[path.suffix]}; charset=utf-8", _HEADERS)
