"""The API's page and what it loads, as they come over the local stack's port."""

from __future__ import annotations

import gzip
import http.client
import json

import pytest

from healthscore.api import docs_page
from tools.local.stack import LocalStack

TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def stack():
    with LocalStack(port=0, report=lambda _line: None) as stack:
        stack.serve()
        yield stack


@pytest.fixture
def connection(stack):
    connection = http.client.HTTPConnection("127.0.0.1", int(stack.url.rpartition(":")[2]), timeout=TIMEOUT_SECONDS)
    yield connection
    connection.close()


def ask(connection, path, method="GET", **headers):
    """Ask over one connection, which a body that is longer or shorter than it says would confuse."""
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def path_of(name: str) -> str:
    return "/v1/docs" if name == docs_page.PAGE else f"/v1/docs/{name}"


@pytest.mark.parametrize("name", sorted(docs_page.FILES))
def test_docs__asked_as_a_browser_does__comes_compressed_with_its_policy_and_then_not_again(connection, name):
    status, headers, body = ask(connection, path_of(name), accept_encoding="gzip, deflate, br")
    expected = docs_page.static_file(name, "gzip", "")
    assert (status, body) == (200, expected.body)
    assert {name.lower(): value for name, value in expected.headers.items()}.items() <= headers.items()
    status, headers, body = ask(connection, path_of(name), accept_encoding="gzip", if_none_match=headers["etag"])
    assert (status, body) == (304, b"")
    assert "content-encoding" not in headers
    assert ask(connection, path_of(name), accept_encoding="gzip")[0] == 200


@pytest.mark.parametrize("name", sorted(docs_page.FILES))
def test_docs__asked_without_a_word_of_gzip__comes_plain(connection, name):
    status, headers, body = ask(connection, path_of(name) + "/")
    assert (status, body) == (200, gzip.decompress(docs_page.static_file(name, "gzip", "").body))
    assert "content-encoding" not in headers


def test_openapi__in_both_forms__is_the_same_document(connection):
    _, headers, packed = ask(connection, "/v1/openapi.json", accept_encoding="gzip")
    _, _, plain = ask(connection, "/v1/openapi.json")
    assert headers["content-type"] == "application/json"
    assert gzip.decompress(packed) == plain
    assert json.loads(plain)["openapi"] == "3.1.0"


@pytest.mark.parametrize("name", ["docs.html", "nothing.js", "swagger-ui.js", "__init__.py", "page.js.gz"])
def test_docs__file_that_is_none_of_the_page__is_404(connection, name):
    status, _, body = ask(connection, f"/v1/docs/{name}")
    assert (status, json.loads(body)["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/docs", "/v1/docs/page.js"])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_docs__any_other_method__is_405(connection, path, method):
    status, headers, _ = ask(connection, path, method)
    assert (status, headers["allow"]) == (405, "GET")


def test_docs__with_a_query_parameter__is_400(connection):
    assert ask(connection, "/v1/docs/page.js?v=1")[0] == 400
