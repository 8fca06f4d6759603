"""The API's pulse and its description."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from healthscore.api import docs_page
from healthscore.http import static_files
from healthscore.http.errors import NOT_FOUND, ApiError
from healthscore.http.route import route

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.http.request import Request
    from healthscore.http.route import FileAnswer
    from healthscore.http.static_files import StaticFile

    class Pulse(TypedDict):
        """A sign of life."""

        status: Literal["ok"]


TAG = "About the API"
_BUILT = Path(__file__).with_name("openapi.json")
"""Written, and gzipped, when the layer is built."""


@route("GET /healthz", scope=None, query=None)
def get_pulse(_request: Request) -> Pulse:
    """A sign of life.

    Says that the API is there. No key is needed, and no table is read.
    """
    return {"status": "ok"}


@route("GET /v1/openapi.json", scope=None)
def get_open_api(request: Request) -> FileAnswer:
    """This description, for programs.

    The OpenAPI document.
    """
    return static_files.answer(_document(), *_conditions(request))


@route("GET /v1/docs", scope=None)
def get_docs(request: Request) -> FileAnswer:
    """This description, for people.

    The OpenAPI document as a page on which requests can be tried.
    """
    return docs_page.page(request.base_path, *_conditions(request))


@route("GET /v1/docs/{file}", scope=None, described=False)
def get_docs_file(request: Request) -> FileAnswer:
    """A file of the page.

    The scripts and styles that `/v1/docs` loads.
    """
    name = request.params["file"]
    if name == docs_page.PAGE or name not in docs_page.FILES:
        raise ApiError(NOT_FOUND, "There is nothing under this path.")
    return docs_page.static_file(name, *_conditions(request))


def _conditions(request: Request) -> tuple[str, str]:
    """The headers that decide how a file is answered."""
    return request.headers.get("accept-encoding", ""), request.headers.get("if-none-match", "")


@cache
def _document() -> StaticFile:
    """The OpenAPI document as the build has written it; made on the spot in a checkout, where there is none."""
    try:
        return static_files.read_static_file(_BUILT, "application/json")
    except FileNotFoundError:
        from healthscore.api import openapi  # noqa: PLC0415  (Pydantic: nothing that is deployed needs it here)

        return static_files.static_file(openapi.to_json(openapi.document()).encode(), "application/json")
