"""Answers held against the API's description while a test goes about something else."""

from __future__ import annotations

import pytest

from healthscore.api.resources import all_routes
from healthscore.http import router as routing
from healthscore.http.request import Request
from tests.support.openapi import check_answer


@pytest.fixture
def described_answers(monkeypatch):
    """Check every answer of the routers of this process as it is given."""
    handle = routing.Router.handle

    def checked(router, event, context, find_key):
        response = handle(router, event, context, find_key)
        headers = {name.lower(): value for name, value in response["headers"].items()}
        check_answer(_route(event), response["statusCode"], headers, response["body"])
        return response

    monkeypatch.setattr(routing.Router, "handle", checked)


def _route(event):
    found = routing.find(all_routes(), Request.from_event(event))
    return None if found is None else found.key
