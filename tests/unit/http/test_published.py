from __future__ import annotations

from healthscore.http.published import PublishedFile
from healthscore.http.router import Router
from healthscore.http.routes import route
from tests.support.gateway import gateway_event


@route("GET /v1/docs", scope=None)
def get_docs(_request):
    return PublishedFile("<p>é", "text/html; charset=utf-8")


def test_handle__published_file__is_answered_as_it_is_and_may_be_cached():
    answer = Router([get_docs]).handle(gateway_event("GET", "/v1/docs/"), None, lambda _hash: None)
    assert (answer["statusCode"], answer["body"]) == (200, "<p>é")
    assert answer["headers"] == {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "public, max-age=300",
        "X-Content-Type-Options": "nosniff",
    }
