from __future__ import annotations

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.http import static_files
from healthscore.http.route import route
from healthscore.http.router import Router
from healthscore.http.static_files import read_static_file, static_file
from tests.support.gateway import gateway_event

CONTENT = "Grüße, ".encode() * 100
FILE = static_file(CONTENT, "text/plain; charset=utf-8", {"X-More": "yes"})


@route("GET /v1/docs", scope=None)
def get_file(request):
    return static_files.answer(FILE, request.headers["accept-encoding"], request.headers["if-none-match"])


def test_answer__gzip_is_accepted__is_compressed():
    answer = static_files.answer(FILE, "gzip, deflate, br", "")
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(answer.body) == CONTENT


def test_answer__gzip_is_not_accepted__is_plain():
    answer = static_files.answer(FILE, "", "")
    assert (answer.status, answer.body) == (200, CONTENT)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("accept_encoding", ["", "gzip"])
def test_answer__in_either_form__says_what_it_is_and_how_long_it_may_be_kept(accept_encoding):
    headers = dict(static_files.answer(FILE, accept_encoding, "").headers)
    headers.pop("Content-Encoding", None)
    assert headers == {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "public, max-age=300",
        "ETag": FILE.etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "X-More": "yes",
    }


@pytest.mark.parametrize(
    "if_none_match", [FILE.etag, FILE.etag.removeprefix("W/"), f'"other", {FILE.etag}', f'W/"x",{FILE.etag}', "*"]
)
def test_answer__the_client_has_it__is_304_without_a_body(if_none_match):
    answer = static_files.answer(FILE, "gzip", if_none_match)
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == FILE.etag
    assert answer.headers["Content-Type"] == FILE.content_type
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("if_none_match", ["", '"other"', 'W/"other"', FILE.etag.strip('W/"')])
def test_answer__the_client_has_another__is_200(if_none_match):
    assert static_files.answer(FILE, "gzip", if_none_match).status == 200


def test_static_file__of_the_same_bytes__is_the_same_at_any_time():
    assert static_file(CONTENT, "text/plain") == static_file(CONTENT, "text/plain")
    assert static_file(CONTENT, "text/plain").etag != static_file(CONTENT + b"x", "text/plain").etag


def test_read_static_file__where_only_the_gzipped_one_is__is_that(tmp_path):
    packed = gzip.compress(CONTENT, 1, mtime=0)
    (tmp_path / "a.js.gz").write_bytes(packed)
    assert read_static_file(tmp_path / "a.js", "text/javascript").compressed == packed


def test_read_static_file__of_a_plain_one__is_compressed(tmp_path):
    (tmp_path / "a.js").write_bytes(CONTENT)
    assert read_static_file(tmp_path / "a.js", "text/javascript") == static_file(CONTENT, "text/javascript")


def test_read_static_file__of_none__is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_static_file(tmp_path / "a.js", "text/javascript")


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("gzip", True),
        ("GZip", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip; q=0.001", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("gzip, *;q=0", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
    ],
)
def test_accepts_gzip__of_a_header__follows_the_standard(accept_encoding, accepted):
    assert static_files.accepts_gzip(accept_encoding) is accepted


@given(st.text(), st.text())
def test_answer__to_any_headers__is_the_file(accept_encoding, if_none_match):
    answer = static_files.answer(FILE, accept_encoding, if_none_match)
    encoded = "Content-Encoding" in answer.headers
    assert answer.status == 304 or (gzip.decompress(answer.body) if encoded else answer.body) == CONTENT


@pytest.mark.parametrize(("accept_encoding", "in_base64"), [("gzip", True), ("identity", False)])
def test_handle__of_a_file__is_in_base64_where_it_is_no_text(accept_encoding, in_base64):
    router = Router([get_file])
    headers = {"accept-encoding": accept_encoding, "if-none-match": ""}
    answer = router.handle(gateway_event("GET", "/v1/docs/", headers=headers), None, lambda _hash: None)
    assert (answer["statusCode"], answer["headers"]["ETag"]) == (200, FILE.etag)
    assert answer.get("isBase64Encoded", False) is in_base64
    body = gzip.decompress(base64.b64decode(answer["body"])) if in_base64 else answer["body"].encode()
    assert body == CONTENT


def test_handle__of_a_file_that_the_client_has__is_304():
    headers = {"accept-encoding": "gzip", "if-none-match": FILE.etag}
    answer = Router([get_file]).handle(gateway_event("GET", "/v1/docs", headers=headers), None, lambda _hash: None)
    assert (answer["statusCode"], answer["body"]) == (304, "")
