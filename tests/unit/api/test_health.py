from __future__ import annotations

from datetime import timedelta

import pytest

from healthscore.api import health
from healthscore.core.time import format_instant
from healthscore.http.errors import ApiError
from healthscore.http.request import Request
from healthscore.settings import Settings
from tests.support.gateway import NOW, gateway_event

SETTINGS = Settings(retention_days=400)


def request(**parameters: str) -> Request:
    return Request.from_event(gateway_event("GET", "/v1/accounts/acme/health", query=parameters))


def test_as_of__left_out__is_now():
    assert health._as_of(request(), SETTINGS) == NOW


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
        assert health._as_of(asked, SETTINGS) == at
        return
    with pytest.raises(ApiError) as refused:
        health._as_of(asked, SETTINGS)
    assert (refused.value.status, refused.value.code) == (400, code)
