"""The CRM's functions and routes, asked as they are asked when deployed."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime, timedelta

import pytest

from functions.api import handler as api_function
from functions.crm_refresh import handler as refresh_function
from functions.crm_sync import handler as sync_function
from functions.crm_webhook import handler as webhook_function
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.services.crm_sync import session, webhook_secrets
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import connections
from healthscore.storage.workspace import ApiKey
from tests.support.gateway import gateway_event
from tests.template.crm import URL, connected, sqs_event
from tools import crm as tool
from tools.fakes import hubspot as fakes_hubspot
from tools.fakes.hubspot import SECRET

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
PATH = "/v1/crm/hubspot/webhook"


class Context:
    """A function that has all the time it needs."""

    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@pytest.fixture
def hubspot(moto, monkeypatch):
    monkeypatch.setattr(api_function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("local-admin"), "admin", "test", NOW, "dmin"))
    monkeypatch.setenv("ALERTS_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alerts")
    with connected(NOW, monkeypatch) as fake:
        yield fake


def ask(method, path, body=None, **options):
    event = gateway_event(method, path, key="local-admin", body=body, now=NOW, **options)
    response = api_function.handler(event, Context())
    return response["statusCode"], json.loads(response["body"])


def deliver(headers, body, *, now=NOW, path=PATH):
    event = gateway_event("POST", path, body=body, headers=headers, now=now)
    response = webhook_function.handler(event, Context())
    return response["statusCode"], json.loads(response["body"])


@pytest.fixture
def company(hubspot):
    """A company that is an account, connected and read."""
    accounts.save_profile("acme", lambda _stored: {}, NOW)
    assert ask("PUT", "/v1/crm/hubspot", {"webhook_url": URL})[0] == 200
    company = hubspot.add("companies", account_id="acme", name="Acme Secret Ltd")
    sync_function.handler({}, Context())
    return company


def test_webhook__ticket_opened__changes_the_facts_behind_it(hubspot, company):
    ticket = hubspot.add("tickets", company, hs_pipeline_stage="1", hs_ticket_priority="HIGH")
    assert deliver(*hubspot.webhook(hubspot.event("tickets", ticket), url=URL)) == (200, {"success": True, "queued": 1})
    event = sqs_event(os.environ["CRM_QUEUE_URL"])
    assert refresh_function.handler(event, Context()) == {"batchItemFailures": []}
    assert accounts.get("acme").crm.high_priority_open == 1


def test_webhook__association_that_comes_late__is_tried_again_and_then_left_to_the_sync(hubspot, company):
    ticket = hubspot.add("tickets", company, associated_after=60, hs_pipeline_stage="1")
    deliver(*hubspot.webhook(hubspot.event("tickets", ticket), url=URL))
    event = sqs_event(os.environ["CRM_QUEUE_URL"])
    failed = {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    assert refresh_function.handler(event, Context()) == failed
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = "3"
    assert refresh_function.handler(event, Context()) == {"batchItemFailures": []}
    hubspot.clock.sleep(60)
    assert refresh_function.handler(event, Context()) == {"batchItemFailures": []}
    assert accounts.get("acme").crm.open_tickets == 1


def test_webhook__wrong_signature_replay_too_large_malformed_or_unknown__gets_an_error_and_nothing_else(
    hubspot, company
):
    headers, body = hubspot.webhook(hubspot.event("tickets", "5"), url=URL)
    forged = headers | {"x-hubspot-signature-v3": "AAAA"}
    large = b" " * (256 * 1024 + 1)
    old = hubspot.webhook(hubspot.event("tickets", "5"), url=URL, age=301)
    odd = hubspot.webhook(url=URL)
    for status, answer in (
        (401, deliver(forged, body)),
        (401, deliver({}, body)),
        (401, deliver(headers, body + b" ")),
        (401, deliver(*old)),
        (401, deliver(headers, body, now=NOW - timedelta(seconds=1))),
        (413, deliver(headers, large)),
        (404, deliver(headers, body, path="/v1/crm/attio/webhook")),
        (404, deliver(headers, body, path="/v1/crm/nobody/webhook")),
    ):
        assert (answer[0], answer[1]["success"]) == (status, False)
    assert sqs_event(os.environ["CRM_QUEUE_URL"]) == {"Records": []}
    assert deliver(headers, body)[0] == 200
    assert deliver(headers, body)[1]["code"] == "invalid_signature"
    assert deliver(*odd) == (200, {"success": True, "queued": 0})
    assert len(sqs_event(os.environ["CRM_QUEUE_URL"])["Records"]) == 1


def test_sync__token_that_is_refused_or_missing__is_counted_for_the_alarm(hubspot, company, monkeypatch):
    def result():
        (found,) = sync_function.handler({}, Context())["results"]
        return found

    assert "refused" not in result()
    hubspot.token = "another"
    assert (result()["state"], result()["refused"]) == ("failed", 1)
    monkeypatch.setattr(session, "secrets", lambda _provider: {})
    assert result() == {"provider": "hubspot", "state": "failed", "refused": 1}


def test_webhook__secret__is_kept_for_minutes_and_read_again_where_it_does_not_fit(hubspot, company, monkeypatch):
    read = []
    secret = SECRET

    def stored(_provider):
        read.append(secret)
        return secret

    def status(signed_with):
        """The answer to a webhook that is signed like this, a second after the one before."""
        hubspot.clock.sleep(1)
        monkeypatch.setattr(fakes_hubspot, "SECRET", signed_with)
        headers, body = hubspot.webhook(hubspot.event("tickets", "5"), url=URL)
        return deliver(headers, body, now=hubspot.clock.now())[0]

    monkeypatch.setattr(webhook_secrets, "secret_of", stored)
    assert [status(SECRET) for _ in range(3)] == [200] * 3
    assert [status("forged") for _ in range(10)] == [401] * 10
    assert len(read) == 1
    secret = "rotated"
    hubspot.clock.sleep(30)
    assert (status("rotated"), len(read)) == (200, 2)
    assert (status(SECRET), len(read)) == (401, 2)
    hubspot.clock.sleep(301)
    assert (status("rotated"), len(read)) == (200, 3)


def test_logs__of_all_of_it__hold_no_secret_and_no_customer_text(hubspot, company, caplog, capsys):
    caplog.set_level(logging.DEBUG, logger="healthscore")
    ticket = hubspot.add("tickets", company, hs_pipeline_stage="1", subject="Nothing works")
    deliver(*hubspot.webhook(hubspot.event("tickets", ticket), url=URL))
    refresh_function.handler(sqs_event(os.environ["CRM_QUEUE_URL"]), Context())
    hubspot.before = lambda _call: None
    hubspot.token = "another"
    assert sync_function.handler({}, Context())["results"][0]["state"] == "failed"
    logged = (
        caplog.text + capsys.readouterr().out + json.dumps([vars(record) for record in caplog.records], default=str)
    )
    for secret in ("fake-token", "fake-webhook-secret", "Acme Secret", "Nothing works"):
        assert secret not in logged


def test_status__of_a_connection__says_how_it_goes(hubspot, company):
    status, answer = ask("GET", "/v1/crm")
    (found,) = answer["connections"]
    assert (status, found["provider"], found["state"], found["error"]) == (200, "hubspot", "up to date", None)
    assert found["counts"] == {"companies": 1, "matched": 1, "unmatched": 0}
    assert found["options"]["webhook_url"] == URL
    hubspot.token = "another"
    sync_function.handler({}, Context())
    assert "token" in ask("GET", "/v1/crm")[1]["connections"][0]["error"]


def test_status__without_a_token__says_so(hubspot):
    assert ask("PUT", "/v1/crm/attio", {})[0] == 200
    assert sync_function.handler({}, Context())["results"][0]["state"] == "failed"
    assert "no token" in ask("GET", "/v1/crm")[1]["connections"][0]["error"]


def test_unmatched__companies__are_paged_with_what_to_do(hubspot, company):
    for number in range(3):
        hubspot.add("companies", domain=f"prospect{number}.com", name=f"P{number}")
    connections.connect("hubspot", connections.connection("hubspot").options, NOW)
    sync_function.handler({}, Context())
    status, first = ask("GET", "/v1/crm/unmatched", query={"limit": "2"})
    assert (status, len(first["unmatched"])) == (200, 2)
    second = ask("GET", "/v1/crm/unmatched", query={"limit": "2", "cursor": first["cursor"]})[1]
    found = [*first["unmatched"], *second["unmatched"]]
    assert [company["name"] for company in found] == ["P0", "P1", "P2"]
    assert {company["reason"] for company in found} == {"no_account"}
    assert found[0]["what_to_do"].startswith("No account")


def test_disconnect__by_the_api__takes_everything_back(hubspot, company):
    assert ask("DELETE", "/v1/crm/hubspot")[1]["state"] == "disconnecting"
    assert deliver(*hubspot.webhook(hubspot.event("tickets", "5"), url=URL))[0] == 404
    assert sync_function.handler({}, Context())["results"][0]["state"] == "disconnected"
    assert ask("GET", "/v1/crm")[1] == {"connections": []}
    assert ask("DELETE", "/v1/crm/hubspot")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/v1/crm/salesforce", {}, 404),
        ("PUT", "/v1/crm/hubspot", [], 400),
        ("PUT", "/v1/crm/hubspot", {"token": "secret"}, 400),
        ("GET", "/v1/crm/unmatched", None, 404),
    ],
)
def test_routes__wrong__say_so(hubspot, method, path, body, status):
    assert ask(method, path, body)[0] == status


def test_sync_function__another_event__is_refused(hubspot):
    with pytest.raises(ValueError, match="write-back"):
        sync_function.handler({"task": "sweep"}, Context())


def test_create_properties__by_the_command__creates_them_once(hubspot, capsys):
    assert tool.main(["create-properties", "hubspot", "--secret", os.environ["CRM_SECRET_ARN"]]) == 0
    assert hubspot.properties == {"healthscore_score", "healthscore_band", "healthscore_reason", "account_id"}
    assert tool.main(["create-properties", "hubspot"]) == 0
    assert "already" in capsys.readouterr().out
    assert tool.main(["create-properties", "attio"]) == 1
    assert "no token" in capsys.readouterr().err
