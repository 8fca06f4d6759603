"""A cursor that was made up, whatever place is in it, begins a page or is refused, and never is an error of ours."""

from __future__ import annotations

import json

import pytest

from functions.api import handler as api_function
from functions.insights import handler as insights
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
    "/v1/alerts": ["alerts", DAY, DAY],
    "/v1/accounts/acme/alerts": ["alerts of", "acme"],
    "/v1/crm/unmatched": ["unmatched", "hubspot"],
}
BOOKS = {
    "/v1/accounts": ["accounts"],
    "/v1/accounts?sort=-name": ["accounts", "sort", "-name"],
    "/v1/accounts?band=critical&sort=arr": ["accounts", "band", "critical", "sort", "arr"],
}
"""Lists whose cursors hold more than a key."""
MADE_UP = [
    *PLACES,
    "[]",
    "{}",
    "[" * 900,
    '[null,"","",0,null,"a"]',
    '[null,"","",0,5,"a"]',
    '[null,"","",0,"n","a"]',
    '[null,"","",0,1e400,"a"]',
    '[null,"","x",0,null,"a"]',
    '["2026-11-20","run","",0,null,"a"]',
    '["2026-02-30","run","",0,null,"a"]',
    '[null,"","../account_nights",0,null,"a"]',
    '[null,"","",99999999999999999999,null,"a"]',
    '[null,"","",0,99999999999999999999,"a"]',
    '[null,"","",true,null,"a"]',
    '[null,"","",0,null,7]',
    '[null,"","",0,null,"a\\u0000"]',
    '[null,"","",0,null,"\\ud800"]',
]


def ask(path: str, cursor: str) -> tuple[int, dict]:
    path, _, asked = path.partition("?")
    query = {"cursor": cursor, **dict(part.split("=") for part in asked.split("&") if part)}
    function = score_function if path.startswith("/v1/accounts/") else api_function
    function = insights if path == "/v1/accounts" else function
    response = function.handler(gateway_event("GET", path, key="local-admin", query=query), None)
    return response["statusCode"], json.loads(response["body"])


@pytest.fixture
def workspace_of_one(tables, monkeypatch):
    for function in (api_function, score_function, insights):
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


def test_book__cursor_that_was_made_up__begins_a_page_or_is_refused(workspace_of_one):
    for path, question in BOOKS.items():
        for place in MADE_UP:
            status, body = ask(path, write_cursor(question, place))
            assert status in {200, 400, 410}, (path, place[:50], body)


def test_lists__text_that_is_no_cursor__is_400(workspace_of_one):
    for path in (*LISTS, *BOOKS):
        for cursor in ("", "x", "AAAAAAAA", "company-1", "x" * 3000):
            status, body = ask(path, cursor)
            assert (path, cursor, status, body["code"]) == (path, cursor, 400, "invalid_request")
