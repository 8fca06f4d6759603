"""The sample events have the format of the services that send them, and reach the functions in their names."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from healthscore.http.api_keys import Scope
from tests.template.conftest import ROOT
from tools import keys
from tools.local.lambdas import Lambdas
from tools.local.routes import match

EVENTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "events").glob("*.json"))}
HTTP = [name for name, event in EVENTS.items() if "requestContext" in event]


def test_events__exist__for_every_function(functions):
    folders = {properties["CodeUri"].strip("/").rpartition("/")[2] for properties in functions.values()}
    assert {name.partition("-")[0] for name in EVENTS} == folders
    assert {path.suffix for path in (ROOT / "events").iterdir()} == {".json"}


@pytest.mark.parametrize("name", HTTP)
def test_http_event__takes__the_route_it_names(stack, name):
    event = EVENTS[name]
    http = event["requestContext"]["http"]
    found = match(stack.routes, http["method"], event["rawPath"])
    assert found is not None
    assert event["routeKey"] == event["requestContext"]["routeKey"] == found.route.key
    assert event.get("pathParameters", {}) == found.parameters
    assert stack.functions[found.route.function].code.strip("/") == f"functions/{name.partition('-')[0]}"


@pytest.mark.parametrize("name", HTTP)
def test_http_event__agrees__with_itself(name):
    event = EVENTS[name]
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert context["stage"] == "$default"
    assert context["http"]["path"] == event["rawPath"]
    assert context["http"]["userAgent"] == event["headers"]["user-agent"]
    assert [header for header in event["headers"] if header != header.lower()] == []
    received = datetime.fromtimestamp(context["timeEpoch"] / 1000, UTC)
    assert context["time"] == received.strftime("%d/%b/%Y:%H:%M:%S +0000")
    if "body" in event:
        assert int(event["headers"]["content-length"]) == len(event["body"].encode())


@pytest.mark.parametrize("name", HTTP)
def test_http_event__carries__only_a_key_of_the_local_stack(name):
    authorization = EVENTS[name]["headers"].get("authorization", "Bearer local-none")
    assert authorization.startswith("Bearer local-")


def test_nightly_events__are__a_night_a_past_day_and_a_sweep(functions, resources):
    nightly = {name: event for name, event in EVENTS.items() if name.startswith("nightly")}
    assert {name: list(event) for name, event in nightly.items()} == {
        "nightly": [],
        "nightly-backfill": ["date"],
        "nightly-outbox": ["task"],
    }
    scheduled = functions["NightlyFunction"]["Events"] | resources["NightlyStateMachine"]["Properties"]["Events"]
    assert json.loads(scheduled["Night"]["Properties"]["Input"]) == {"time": "<aws.scheduler.scheduled-time>"}
    assert json.loads(scheduled["Outbox"]["Properties"]["Input"]) == nightly["nightly-outbox"]


@pytest.fixture
def invoke(stack, topic_arn):
    """Invokes the function that a sample event is named after; returns its result."""
    for scope in Scope:
        keys.add(f"local-{scope}", scope, "test", datetime.now(UTC))
    lambdas = Lambdas(stack.functions, ROOT)
    named = {function.code.strip("/").rpartition("/")[2]: name for name, function in stack.functions.items()}

    def invoked(name, event):
        return json.loads(lambdas.invoke(named[name.partition("-")[0]], json.dumps(event)))

    return invoked


def test_events__one_after_the_other__tell_a_workspace_s_story(invoke):
    """Runs the samples in order; only the retention is longer, since their days are fixed and 400 days will pass."""
    first = {"api-healthz", "api-put-settings", "ingest"}
    answers = {}
    names = [name for name in HTTP if name != "crm_webhook"]  # a CRM is connected in its own tests
    for name in sorted(names, key=lambda name: (name not in first, name)):
        event = EVENTS[name]
        if name == "api-put-settings":
            settings = json.loads(event["body"]) | {"retention_days": 20_000}
            event = event | {"body": json.dumps(settings)}
        response = invoke(name, event)
        assert response["statusCode"] == 200, (name, response["body"])
        answers[name] = json.loads(response["body"])
    assert answers["ingest"] == {"success": True, "accepted": 5, "duplicates": 0, "rejected": []}
    milestones = answers["score"]["components"]["milestones"]["facts"]["reached"]
    assert [milestone["name"] for milestone in milestones] == ["account_created", "first_feature_used"]

    night = invoke("nightly", EVENTS["nightly"])
    assert (night["scored"], night["sent"], night["left"]) == (2, 1, [])
    past = invoke("nightly-backfill", EVENTS["nightly-backfill"])
    assert (past["day"], past["backfill"], past["left"]) == ("2026-11-20", True, [])
    assert invoke("nightly-outbox", EVENTS["nightly-outbox"])["left"] == []
