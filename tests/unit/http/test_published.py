from __future__ import annotations

import json
from pathlib import Path

import pytest

from healthscore.http import published
from healthscore.http import router as routing
from healthscore.http.published import published_file
from healthscore.http.router import Router
from tests.support.gateway import gateway_event

FOLDER = Path(published.__file__).parent


@pytest.mark.parametrize(
    ("name", "content_type"), [("openapi.json", "application/json"), ("docs.html", "text/html; charset=utf-8")]
)
def test_published_file__is_the_one_beside_the_code(name, content_type):
    found = published_file(name)
    assert (found.text, found.content_type) == ((FOLDER / name).read_text(encoding="utf-8"), content_type)


def test_handle__published_file__is_answered_as_it_is_and_may_be_cached():
    router = Router()
    router.route("GET /v1/openapi.json")(lambda _request: published_file("openapi.json"))
    answer = router.handle(gateway_event("GET", "/v1/openapi.json/"), None, lambda _hash: None)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "application/json")
    assert answer["headers"]["Cache-Control"] == "public, max-age=300"
    assert json.loads(answer["body"])["paths"].keys() == {route.partition(" ")[2] for route in routing.ROUTES}
