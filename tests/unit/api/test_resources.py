"""What the routes of all resources have in common."""

from __future__ import annotations

from collections import Counter

from healthscore.api.resources import all_routes
from tests.support.routes import ROUTES


def test_routes__every_route__asks_for_a_key_but_the_pulse_the_description_and_what_is_signed():
    assert {route for route, scope in ROUTES.items() if scope is None} == {
        "GET /healthz",
        "POST /v1/crm/{provider}/webhook",  # signed instead
        "GET /v1/openapi.json",
        "GET /v1/docs",
        "GET /v1/docs/{file}",
        "GET /v1/projects/{write_key}/settings",  # the same for every key
        "GET /sourceConfig",
    }


def test_routes__of_all_resources__are_each_declared_once():
    counted = Counter(key for route in all_routes() for key in route.keys)
    assert [key for key, count in counted.items() if count > 1] == []
