"""Exercises a connected CRM once, so that its functions make all their AWS calls."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3

from healthscore import process
from healthscore.services.crm_sync import matching
from healthscore.storage import schema
from healthscore.storage.alerts import messages
from healthscore.storage.client import dynamodb
from tests.template import names
from tools.fakes import attio, hubspot
from tools.fakes.attio import FakeAttio
from tools.fakes.hubspot import FakeHubSpot
from tools.fakes.server import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    import pytest

URL = "https://api.example.com/v1/crm/hubspot/webhook"
_FAKES: dict[str, tuple[Any, str]] = {
    "hubspot": (FakeHubSpot, hubspot.SECRET),
    "attio": (FakeAttio, attio.SECRET),
}


@contextmanager
def connected(now: datetime, monkeypatch: pytest.MonkeyPatch, provider: str = "hubspot") -> Iterator[Any]:
    """A fake CRM whose token is in the secret, and the queue; the environment names both."""
    monkeypatch.setattr(matching, "WORKERS", 1)  # sequential, so that a run is repeatable
    with ExitStack() as undo:
        undo.callback(process.forget)
        kind, secret = _FAKES[provider]
        fake = undo.enter_context(kind(VirtualClock(now)))
        secrets, sqs = boto3.client("secretsmanager"), boto3.client("sqs")
        undo.callback(secrets.close)
        undo.callback(sqs.close)
        found = {
            "CRM_SECRET_ARN": {"token": fake.token, "url": fake.url},
            "CRM_WEBHOOK_SECRET_ARN": {"webhook_secret": secret},
        }
        for variable, kept in found.items():
            text = json.dumps({provider: kept})
            monkeypatch.setenv(variable, secrets.create_secret(Name=variable, SecretString=text)["ARN"])
        monkeypatch.setenv("CRM_QUEUE_URL", sqs.create_queue(QueueName="crm")["QueueUrl"])
        yield fake


def sqs_event(queue_url: str) -> dict[str, Any]:
    """The queue's messages as the event that its function gets."""
    sqs = boto3.client("sqs")
    found = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    sqs.close()
    records = [
        {"messageId": one["MessageId"], "body": one["Body"], "attributes": {"ApproximateReceiveCount": "1"}}
        for one in found
    ]
    return {"Records": records}


def forget_alerts(account_id: str) -> None:
    """Delete all pending alerts and the sent alerts of an account, so that the next ticket alerts again."""
    for owner, message_id in [*messages.pending(), *_sent(account_id)]:
        key = dict(zip(("pk", "sk"), schema.message_key(owner, message_id), strict=True))
        item = {name: {"S": text} for name, text in key.items()}
        dynamodb().delete_item(TableName=schema.history_table(), Key=item)


def _sent(account_id: str) -> Iterator[tuple[str | None, str]]:
    items = dynamodb().scan(TableName=schema.history_table())["Items"]
    owners = [schema.message_owner(item["pk"]["S"], item["sk"]["S"]) for item in items if "message" in item]
    return iter([owner for owner in owners if owner[0] == account_id])


def live(
    fake: FakeHubSpot,
    request: Callable[..., None],
    invoke: Callable[[str, str], str],
    webhook: Callable[[dict[str, str], bytes], None],
    forget: Callable[[], None],
) -> None:
    """Connect, read, alert about a ticket, find a ticket and a company deleted, write back, disconnect.

    `forget` clears the caches, as in another process.
    """
    now = fake.clock.now()
    request("PUT", "/v1/settings", {"alerts": {"score_fell": {"points": 1}}, "milestones": ["seen", names.LONG[-1]]})
    times = [now + timedelta(seconds=number - 400) for number in range(700)]
    ahead = [{"account_id": "acme", "name": "seen", "timestamp": at.isoformat()} for at in times]
    for part in (ahead[:600], ahead[600:]):
        request("POST", "/v1/events", {"events": part})
    request("PUT", "/v1/crm/hubspot", {"webhook_url": URL, "write_back": True})
    fake.add("companies", domain="prospect.com")
    company = fake.add("companies", account_id="acme", notes_last_contacted=now)
    fake.add("deals", company, dealstage="appointmentscheduled")
    forget()
    invoke("CrmSyncFunction", "{}")
    request("GET", "/v1/crm")
    request("GET", "/v1/crm/unmatched")
    ticket = fake.add("tickets", company, hs_pipeline_stage="1", hs_ticket_priority="HIGH")
    invoke("CrmSyncFunction", "{}")
    fake.archive("tickets", ticket)
    twin = fake.add("companies", account_id="acme")
    refresh = {"body": json.dumps({"provider": "hubspot", "changes": [["companies", twin, ""]]})}
    record = {"messageId": "1", "attributes": {"ApproximateReceiveCount": "1"}, **refresh}
    forget()
    deleted = {"body": json.dumps({"provider": "hubspot", "changes": [["tickets", ticket, "", True]]})}
    invoke("CrmRefreshFunction", json.dumps({"Records": [record | deleted]}))
    for _ in range(2):
        invoke("CrmRefreshFunction", json.dumps({"Records": [record]}))
        fake.objects["companies"].pop(twin, None)
    forget_alerts("acme")
    request("PUT", "/v1/accounts/beta", {"name": "Beta"})
    for company_of in ({"domain": "later.com"}, {"account_id": "beta"}):
        webhook(*fake.webhook(fake.event("companies", fake.add("companies", **company_of)), url=URL))
    for priority in ("HIGH", "LOW"):
        ticket = fake.add("tickets", company, hs_pipeline_stage="1", hs_ticket_priority=priority)
        webhook(*fake.webhook(fake.event("tickets", ticket), url=URL))
        invoke("CrmRefreshFunction", json.dumps(sqs_event(os.environ["CRM_QUEUE_URL"])))
    invoke("CrmSyncFunction", '{"task": "write-back"}')
    request("DELETE", "/v1/crm/hubspot")
    invoke("CrmSyncFunction", "{}")
