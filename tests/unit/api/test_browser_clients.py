"""The configurations name the API as the client has reached it, and nothing else to send to."""

from __future__ import annotations

import gzip
import json

import pytest

from healthscore.api import browser_clients
from healthscore.http.request import Request
from tests.support.gateway import gateway_event

OWN = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


def asked(path: str, domain: str, route: str, **parameters: str) -> Request:
    event = gateway_event("GET", path, query={"writeKey": "k-1", "v": "3"})
    event["routeKey"] = event["requestContext"]["routeKey"] = route
    event["requestContext"]["domainName"] = domain
    event["pathParameters"] = parameters
    return Request.from_event(event)


@pytest.mark.parametrize(("base", "domain"), [("", OWN), ("", "api.example.com"), ("/scores", "api.example.com")])
def test_configurations__on_any_domain__name_it_with_its_base_path(base, domain):
    path = "/v1/projects/k-1/settings"
    request = asked(f"{base}{path}", domain, "GET /v1/{proxy+}", proxy="projects/k-1/settings")
    settings = json.loads(browser_clients.segment_settings(request._replace(params={"write_key": "k-1"})).body)
    segment = settings["integrations"]["Segment.io"]
    assert (segment["protocol"], segment["apiHost"], segment["apiKey"]) == ("https", f"{domain}{base}/v1", "k-1")
    assert list(settings["integrations"]) == ["Segment.io"]
    request = asked(f"{base}/sourceConfig/", domain, "$default")
    source = json.loads(browser_clients.rudderstack_source_config(request).body)["source"]
    assert source["dataplanes"] == {"US": [{"url": f"https://{domain}{base}", "default": True}]}
    assert (source["writeKey"], source["enabled"], source["destinations"]) == ("k-1", True, [])


def test_configurations__asked_by_a_browser__are_compressed_and_kept_by_it():
    request = asked("/sourceConfig/", OWN, "$default")
    answer = browser_clients.rudderstack_source_config(request._replace(headers={"accept-encoding": "gzip"}))
    assert json.loads(gzip.decompress(answer.body))["source"]
    assert answer.headers["Cache-Control"] == "public, max-age=300"
