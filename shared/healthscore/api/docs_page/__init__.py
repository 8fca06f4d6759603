"""The API's page for people: Swagger UI, with an HTML page, a script and a style sheet of ours, which lie beside this.

Swagger UI's two files come from the package `flask-swagger-ui`, of which the layer has these and no code. All files are
answered from the API's own origin, and the page's policy lets a browser load from nowhere else.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from healthscore.http import static_files

if TYPE_CHECKING:
    from healthscore.http.routes import FileAnswer
    from healthscore.http.static_files import StaticFile

PAGE = "docs.html"
_LIBRARY = "flask_swagger_ui"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_OURS = frozenset({PAGE, "page.js", "page.css"})
_THEIRS = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
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


@cache
def _read(name: str) -> StaticFile:
    path = (Path(__file__).parent if name in _OURS else _library()) / name
    return static_files.read_static_file(path, f"{_TYPES[path.suffix]}; charset=utf-8", _HEADERS)


def _library() -> Path:
    """Find Swagger UI's files. Importing the package would import flask, which the layer lacks."""
    found = find_spec(_LIBRARY)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("flask-swagger-ui is not installed, see shared/requirements.txt")
    return Path(found.submodule_search_locations[0]) / "dist"
