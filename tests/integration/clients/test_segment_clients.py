"""The vendors' own clients, unmodified, against the running product: nothing lost, nothing counted or sent twice."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from datetime import UTC, datetime

import pytest

from healthscore.api.event_settings import SETTINGS_SECONDS
from healthscore.http.errors import invalid_json, storage_unavailable
from tests.support.clients import Listener, calls_of
from tools.local.web import Response

pytestmark = pytest.mark.slow

EVENTS = int(os.environ.get("CLIENT_EVENTS", "400"))
"""Sent by each client that crashes; `make clients` sends two thousand."""
CLIENTS = [
    ("segment_python.py", "plain"),
    ("segment_python.py", "gzip"),
    ("segment_node.cjs", "plain"),
    ("rudder_node.cjs", "gzip"),
]
LIMITS = [{"events_per_day": 1}, {"known_accounts_only": True}, {"events_only": True}]
"""Settings of public keys by which all or some of the calls are rejected."""
each_client = pytest.mark.parametrize("client", CLIENTS, indirect=True, ids="-".join)


def response(error):
    return Response(int(error.status), json.dumps(error.body("test")).encode(), dict(error.headers))


@each_client
def test_client__crashed_and_started_again__leaves_exactly_the_distinct_events(client, listener, product):
    # A listener of its own: what a killed process has sent may still be on its way when the next one begins.
    before = Listener(product)
    client.run(before.url, EVENTS, ending="crash")
    before.stop()
    assert client.run(listener.url, EVENTS) == 0
    assert set(listener.sent().values()) == {1}
    assert len(listener.sent()) == EVENTS
    assert set(listener.statuses) == {200}
    assert [product.events_of(f"{client.world}-{block}") for block in range(EVENTS // 200)] == [200] * (EVENTS // 200)


@each_client
def test_client__key_of_another_scope__gives_up_at_once(client, listener):
    assert client.run(listener.url, 10, key="local-read") == 11
    assert set(listener.statuses) == {403}
    assert set(listener.sent().values()) == {1}


@each_client
def test_client__400__gives_up_at_once(client, listener):
    listener.answers = [response(invalid_json("The body is not JSON."))]
    assert client.run(listener.url, 10) == len(calls_of(listener.requests[0]))
    assert listener.statuses.count(400) == 1
    assert set(listener.sent().values()) == {1}


@each_client
def test_client__503__sends_the_same_again_and_it_counts_once(client, listener, product):
    listener.answers = [response(storage_unavailable(1))]
    assert client.run(listener.url, 10) == 0
    again = {call["messageId"] for call in calls_of(listener.requests[0])}
    assert listener.statuses.count(503) == 1
    assert listener.sent() == {f"m-{number}": 2 if f"m-{number}" in again else 1 for number in range(10)}
    assert product.events_of(f"{client.world}-0") == 10


@each_client
@pytest.mark.parametrize(
    "limits", [{"events_per_day": 1}, {"known_accounts_only": True}, {"events_only": True}], ids=str
)
def test_client__beyond_what_a_public_key_may__neither_repeats_nor_drops_what_stands_beside(
    client, listener, product, limits
):
    settings = {"public_keys": limits}
    assert product.ask("PUT", "/v1/settings", "local-admin", settings)[0] == 200
    try:
        time.sleep(SETTINGS_SECONDS)
        assert client.run(listener.url, 10) == 0
    finally:
        product.ask("PUT", "/v1/settings", "local-admin", {})
    assert set(listener.statuses) == {200}
    assert listener.sent() == {f"m-{number}": 1 for number in range(10)}


def test_browser__beacon_of_text__is_taken_by_the_key_in_its_body(listener, product):
    call = {
        "type": "page",
        "name": "Prices",
        "anonymousId": "visitor",
        "messageId": "ajs-1",
        "context": {"groupId": "acme"},
        "timestamp": datetime.now(UTC).isoformat(),
    }
    body = json.dumps({"batch": [call], "writeKey": "local-write"}).encode()
    headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://shop.example"}
    request = urllib.request.Request(f"{listener.url}/v1/batch", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["accepted"] == 1
    assert product.events_of("acme") == 1
