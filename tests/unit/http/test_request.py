from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from healthscore.http.errors import ApiError
from healthscore.http.request import Request
from tests.support.gateway import NOW, REQUEST_ID, gateway_event


def test_from_event__a_captured_event__is_put_into_plain_values():
    event = gateway_event("post", "/v1/accounts/a%40b/", query={"as_of": "x"}, headers={"X-Odd": "1"}, key="k")
    request = Request.from_event(event)
    assert (request.method, request.path, request.query) == ("POST", "/v1/accounts/a@b", {"as_of": "x"})
    assert request.headers["x-odd"] == "1"
    assert request.headers["authorization"] == "Bearer k"
    assert (request.request_id, request.received_at) == (REQUEST_ID, NOW)


def test_from_event__time_in_seconds_as_sam_local_sends_it__is_now():
    """It is also frozen there: the second in which `sam local` was started."""
    event = gateway_event("GET", "/healthz")
    event["requestContext"]["timeEpoch"] = 1_795_255_200
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    assert before <= Request.from_event(event).received_at <= datetime.now(UTC)


def test_from_event__no_headers_query_or_body__are_empty():
    event = gateway_event("GET", "/healthz")
    event["headers"] = None
    request = Request.from_event(event)
    assert (request.headers, request.query, request.body) == ({}, {}, b"")


@pytest.mark.parametrize("in_base64", [False, True])
def test_json__text_or_base64__is_read(in_base64):
    event = gateway_event("POST", "/v1/events", body={"é": 1}, in_base64=in_base64)
    assert Request.from_event(event).json() == {"é": 1}


def test_json__gzip__is_read():
    event = gateway_event("POST", "/v1/events", body=gzip.compress(b"[1]"))
    assert Request.from_event(event).json() == [1]


@pytest.mark.parametrize("body", ["a", "&&&&", "é"])
def test_body__base64_that_is_none__is_an_invalid_request(body):
    event = {**gateway_event("POST", "/v1/events"), "body": body, "isBase64Encoded": True}
    with pytest.raises(ApiError) as caught:
        Request.from_event(event).json()
    assert caught.value.code == "invalid_request"


def test_body__lone_surrogate__is_invalid_json():
    event = gateway_event("POST", "/v1/events", body='"\ud800"')
    with pytest.raises(ApiError) as caught:
        Request.from_event(event).json()
    assert caught.value.code == "invalid_json"


class Context:
    """A function's context that says how many milliseconds are left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def test_time_left__under_a_deadline__leaves_a_second_to_answer():
    request = Request.from_event(gateway_event("GET", "/healthz"), Context(10_000))
    assert request.time_left() == 9.0


def test_time_left__without_a_deadline__is_endless():
    assert Request.from_event(gateway_event("GET", "/healthz")).time_left() == float("inf")
