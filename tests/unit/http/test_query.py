from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from healthscore.http import query
from healthscore.http.errors import ApiError
from healthscore.http.request import Request
from tests.support.gateway import gateway_event

AS_OF = query.Instant("as_of", "An instant.")
FROM, TO = query.Day("from", "The first day."), query.Day("to", "The last day.")
BAND = query.OneOf("band", "A band.", ["healthy", "critical"])
OWNER = query.Text("owner", "An owner.", 5)
LIMIT = query.Limit(most=200, default=50)


def request(**parameters: str) -> Request:
    return Request.from_event(gateway_event("GET", "/v1/accounts/acme/health", query=parameters))


def refusal(read) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read()
    return caught.value


def test_only__parameter_that_the_route_knows__passes():
    query.only(request(as_of="x"), [AS_OF])
    query.only(request(), [])


@pytest.mark.parametrize(("known", "says"), [((), "it takes none"), ((FROM, TO), "it knows from, to")])
def test_only__parameter_that_the_route_does_not_know__is_named(known, says):
    error = refusal(lambda: query.only(request(asof="x"), known))
    assert (error.status, error.code) == (400, "invalid_request")
    assert '"asof"' in error.message
    assert says in error.message


@pytest.mark.parametrize("parameter", [AS_OF, FROM, BAND, OWNER])
def test_read__parameter_left_out__is_none(parameter):
    assert parameter.read(request()) is None


def test_instant__with_offset__is_that_instant():
    assert AS_OF.read(request(as_of="2026-11-20T12:00:00+02:00")) == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-20", "2026-11-20T10:00:00", "2026-11-20T10:00:00Z,2026-11-20T10:00:00Z"]
)
def test_instant__that_is_none__is_an_invalid_request(text):
    assert refusal(lambda: AS_OF.read(request(as_of=text))).code == "invalid_request"


def test_instant__with_a_plus_that_is_not_encoded__is_refused_with_how_to_write_it():
    assert "%2B" in refusal(lambda: AS_OF.read(request(as_of="2026-11-20T10:00:00 02:00"))).message


def test_day__a_date__is_that_day():
    assert FROM.read(request(**{"from": "2026-02-28"})) == date(2026, 2, 28)


@pytest.mark.parametrize(
    "text", ["", "2026-02-29", "20260228", "2026-W08-6", "2026-2-28", "today", "2026-02-28T00:00:00Z"]
)
def test_day__no_date__is_an_invalid_request(text):
    assert refusal(lambda: TO.read(request(to=text))).code == "invalid_request"


def test_one_of__known_value__is_that_value():
    assert BAND.read(request(band="critical")) == "critical"


def test_one_of__unknown_value__is_refused_with_those_that_are_known():
    assert "it may be healthy, critical" in refusal(lambda: BAND.read(request(band="good"))).message


def test_text__spaces_at_its_ends__are_taken_off():
    assert OWNER.read(request(owner=" Ann ")) == "Ann"


@pytest.mark.parametrize("text", ["", "  ", "Benoit", "A\x00n"])
def test_text__blank_long_or_with_control_characters__is_refused(text):
    assert "a text of 1 to 5 characters" in refusal(lambda: OWNER.read(request(owner=text))).message


@pytest.mark.parametrize(("sent", "number"), [({}, 50), ({"limit": "1"}, 1), ({"limit": "200"}, 200)])
def test_limit__left_out_or_in_its_range__is_a_number(sent, number):
    assert LIMIT.read(request(**sent)) == number


@pytest.mark.parametrize("text", ["", "0", "201", "-1", "1.5", "٣", "1e2"])
def test_limit__out_of_its_range__is_refused(text):
    assert refusal(lambda: LIMIT.read(request(limit=text))).message == "limit must be a whole number from 1 to 200."
