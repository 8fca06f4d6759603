"""A HubSpot account to try things on: `make run CRM=hubspot`. Open a ticket in it, and see the CRM component move.

The account is the tests' fake one, behind a port of its own. The product reads it and is told of changes by signed
webhooks, as it would be by the real one; what stands between them when deployed (the queue) is emptied here at once.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import boto3

from tests.fakes.hubspot import SECRET, FakeHubSpot
from tests.fakes.server import VirtualClock
from tools.local.web import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.local.stack import LocalStack

COMPANIES = ("brightpath", "tidewater", "lumen")
"""Accounts of the demo workspace that have a company in it."""
_ADMIN = "local-admin"
_WEBHOOK = "/v1/crm/hubspot/webhook"
_OPEN, _CLOSED = "1", "4"


class _Now(VirtualClock):
    """The clock on the wall."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class LocalHubSpot:
    """The account, while it is entered.

    >>> with LocalStack(port=3000) as stack, LocalHubSpot(stack) as hubspot:
    ...     hubspot.connect()
    """

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._fake = FakeHubSpot(_Now())
        self._companies: dict[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self._fake)
            self._sqs = boto3.client("sqs")
            undo.callback(self._sqs.close)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def connect(self) -> None:
        """Fill the account, put its token into the secret, connect it, and read it for the first time."""
        environment = self._stack.environment
        found = {"hubspot": {"token": self._fake.token, "webhook_secret": SECRET, "url": self._fake.url}}
        secrets = boto3.client("secretsmanager")
        name = environment["CRM_SECRET_ARN"].rpartition(":")[2]
        secrets.create_secret(Name=name, SecretString=json.dumps(found))
        secrets.close()
        self._queue = self._sqs.create_queue(QueueName=environment["CRM_QUEUE_URL"].rpartition("/")[2])["QueueUrl"]
        now = datetime.now(UTC)
        for account_id in COMPANIES:
            company = self._fake.add("companies", name=account_id.title(), account_id=account_id)
            self._fake.add("deals", company, dealstage="appointmentscheduled")
            met = now - timedelta(days=3)
            self._fake.add("meetings", company, hs_meeting_start_time=met, hs_meeting_outcome="COMPLETED")
            self._companies[account_id] = company
        self._stack.call("PUT", "/v1/crm/hubspot", _ADMIN, {"webhook_url": self._stack.url + _WEBHOOK})
        self._stack.invoke("CrmSyncFunction", "{}")

    def answer(self, request: Request) -> Response | None:
        """Answer `POST /_local/crm/tickets` (open one, or close one), or None where it is somebody else's to answer."""
        if (request.method, request.target.rstrip("/")) != ("POST", "/_local/crm/tickets"):
            return None
        try:
            asked = json.loads(request.body or b"{}")
            ticket = self._change(asked if isinstance(asked, dict) else {})
        except (ValueError, KeyError):
            known = ", ".join(COMPANIES)
            reason = f'Send {{"account_id": …, "priority": "HIGH"}} with one of {known}, or {{"close": "<ticket_id>"}}.'
            return _json(HTTPStatus.BAD_REQUEST, {"success": False, "code": "invalid_request", "message": reason})
        headers, body = self._fake.webhook(self._fake.event("tickets", ticket), url=self._stack.url + _WEBHOOK)
        told = self._stack.ask(Request("POST", _WEBHOOK, tuple(headers.items()), body))
        self._refresh()
        return _json(HTTPStatus.OK, {"ticket_id": ticket, "webhook": told.status})

    def _change(self, asked: Mapping[str, Any]) -> str:
        if "close" in asked:
            ticket = str(asked["close"])
            self._fake.change("tickets", ticket, hs_pipeline_stage=_CLOSED)
            return ticket
        company, priority = self._companies[asked["account_id"]], asked.get("priority", "HIGH")
        return self._fake.add("tickets", company, hs_pipeline_stage=_OPEN, hs_ticket_priority=priority)

    def _refresh(self) -> None:
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            records = [
                {
                    "messageId": message["MessageId"],
                    "body": message["Body"],
                    "attributes": {"ApproximateReceiveCount": "1"},
                }
                for message in found
            ]
            self._stack.invoke("CrmRefreshFunction", json.dumps({"Records": records}))
            for message in found:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])


def _json(status: HTTPStatus, answer: Mapping[str, Any]) -> Response:
    body = json.dumps(answer, ensure_ascii=False, indent=2) + "\n"
    return Response(status, body.encode(), {"content-type": "application/json"})
