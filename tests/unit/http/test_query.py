from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from healthscore.core.time import format_instant
from healthscore.http import query
from healthscore.http.errors import ApiError
from healthscore.http.request import Request
from healthscore.settings import Settings
from tests.support.gateway import NOW, gateway_event

SETTINGS = Settings(retention_days=400)


def request(**parameters: str) -> Request:
    return Request.from_event(gateway_event("GET", "/v1/accounts/acme/health", query=parameters))


def refusal(read) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read()
    return caught.value


def test_only__parameter_that_the_route_knows__passes():
    query.only(request(as_of="x"), "as_of")
    query.only(request())


@pytest.mark.parametrize(("known", "says"), [((), "it takes none"), (("from", "to"), "it knows from, to")])
def test_only__parameter_that_the_route_does_not_know__is_named(known, says):
    error = refusal(lambda: query.only(request(asof="x"), *known))
    assert (error.status, error.code) == (400, "invalid_request")
    assert '"asof"' in error.message
    assert says in error.message


def test_as_of__not_given__is_now():
    assert query.as_of(request(), NOW, SETTINGS) == NOW


def test_as_of__an_instant_with_offset__is_that_instant():
    at = query.as_of(request(as_of="2026-11-20T12:00:00+02:00"), NOW, SETTINGS)
    assert at == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (NOW, None),
        (NOW + timedelta(milliseconds=1), "as_of_in_future"),
        (NOW - timedelta(days=400), None),
        (NOW - timedelta(days=400, milliseconds=1), "as_of_too_old"),
    ],
)
def test_as_of__at_the_edges__is_inclusive(at, code):
    asked = request(as_of=format_instant(at))
    if code is None:
        assert query.as_of(asked, NOW, SETTINGS) == at
    else:
        error = refusal(lambda: query.as_of(asked, NOW, SETTINGS))
        assert (error.status, error.code) == (400, code)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-20", "2026-11-20T10:00:00", "2026-11-20T10:00:00Z,2026-11-20T10:00:00Z"]
)
def test_as_of__no_instant__is_an_invalid_request(text):
    assert refusal(lambda: query.as_of(request(as_of=text), NOW, SETTINGS)).code == "invalid_request"


def test_as_of__plus_not_encoded__is_told_how_to_write_it():
    assert "%2B" in refusal(lambda: query.as_of(request(as_of="2026-11-20T10:00:00 02:00"), NOW, SETTINGS)).message


def test_day__a_date__is_that_day():
    assert query.day(request(**{"from": "2026-02-28"}), "from") == date(2026, 2, 28)


def test_day__not_given__is_none():
    assert query.day(request(), "from") is None


@pytest.mark.parametrize(
    "text", ["", "2026-02-29", "20260228", "2026-W08-6", "2026-2-28", "today", "2026-02-28T00:00:00Z"]
)
def test_day__no_date__is_an_invalid_request(text):
    assert refusal(lambda: query.day(request(to=text), "to")).code == "invalid_request"
