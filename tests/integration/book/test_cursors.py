"""A cursor that was made up, whatever place is in it, begins a page or is refused, and never is an error of ours."""

from __future__ import annotations

import json

import pytest

from functions.api import handler as api_function
from functions.score import handler as score_function
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.http.cursors import write_cursor
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import connections
from healthscore.storage.workspace import ApiKey
from tests.support.gateway import NOW, gateway_event

DAY = NOW.date().isoformat()
PLACES = ["", "\x00", " ", "!", "alert#", "\U0010ffff", "a", "\uffff", "é" * 512, "x" * 1024, "x" * 1025, "x" * 6000]
LISTS = {
    "/v1/alerts": ["alerts", DAY],
    "/v1/accounts/acme/alerts": ["alerts of", "acme"],
    "/v1/crm/unmatched": ["unmatched", "hubspot"],
    **{
        f"/v1/accounts?sort={order}": ["accounts", None, None, None, None, None, order.strip("-"), str(order[0] == "-")]
        for order in ("score", "-score", "name", "-last_seen")
    },
    "/v1/accounts?band=critical": ["accounts", "critical", None, None, None, None, "score", "False"],
}


def ask(path: str, cursor: str) -> tuple[int, dict]:
    path, _, asked = path.partition("?")
    query = {"cursor": cursor, **dict(part.split("=") for part in asked.split("&") if part)}
    function = score_function if path.startswith("/v1/accounts/") else api_function
    response = function.handler(gateway_event("GET", path, key="local-admin", query=query), None)
    return response["statusCode"], json.loads(response["body"])


@pytest.fixture
def workspace_of_one(tables, monkeypatch):
    for function in (api_function, score_function):
        monkeypatch.setattr(function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("local-admin"), "admin", "test", NOW, "dmin"))
    accounts.save_profile("acme", lambda _: {"name": "Acme"}, NOW)
    connections.connect("hubspot", {}, NOW)


def test_lists__cursor_that_was_made_up__begins_a_page_or_is_refused(workspace_of_one):
    for path, question in LISTS.items():
        for place in PLACES:
            status, body = ask(path, write_cursor(question, place))
            usable = 0 < len(place.encode()) <= 1024
            assert (path, place[:9], status) == (path, place[:9], 200 if usable else 400), body


def test_lists__text_that_is_no_cursor__is_400(workspace_of_one):
    for path in LISTS:
        for cursor in ("", "x", "AAAAAAAA", "company-1", "x" * 3000):
            status, body = ask(path, cursor)
            assert (path, cursor, status, body["code"]) == (path, cursor, 400, "invalid_request")
