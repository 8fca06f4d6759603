"""The API's pulse and its description."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from healthscore.http.published import PublishedFile
from healthscore.http.routes import route

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.http.request import Request

    class Pulse(TypedDict):
        """A sign of life."""

        status: Literal["ok"]


TAG = "About the API"
_BUILT = Path(__file__).with_name("openapi.json")
"""Written when the layer is built."""
_PAGE = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Healthscore API</title>
<h1>Healthscore API</h1>
<p>The API describes itself as an <a href="openapi.json">OpenAPI document</a>, for any viewer of such.</p>
"""


@route("GET /healthz", scope=None, query=None)
def get_pulse(_request: Request) -> Pulse:
    """A sign of life.

    Says that the API is there. No key is needed, and no table is read.
    """
    return {"status": "ok"}


@route("GET /v1/openapi.json", scope=None)
def get_open_api(_request: Request) -> PublishedFile:
    """This description, for programs.

    The OpenAPI document.
    """
    return PublishedFile(_document(), "application/json")


@route("GET /v1/docs", scope=None)
def get_docs(_request: Request) -> PublishedFile:
    """This description, for people.

    The OpenAPI document as a page.
    """
    return PublishedFile(_PAGE, "text/html; charset=utf-8")


@cache
def _document() -> str:
    """The OpenAPI document as the build has written it; made on the spot in a checkout, where there is none."""
    if _BUILT.exists():
        return _BUILT.read_text(encoding="utf-8")
    from healthscore.api import openapi  # noqa: PLC0415  (Pydantic: nothing that is deployed needs it here)

    return openapi.to_json(openapi.document())
