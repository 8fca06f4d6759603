"""A fake HubSpot account for `CRM=hubspot make run`: open a ticket in it, and see the CRM component fall.

The product reads the account, and gets signed webhooks for its changes, as from the real one. `CRM=hubspot make
sam-local` connects the account to functions in containers, with an empty workspace of Attio beside it; the queue behind
the webhook is emptied here then, as a `LocalStack` does by itself.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, Self

import boto3

from tools.fakes import attio, hubspot
from tools.fakes.server import FakeService, VirtualClock
from tools.local.web import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COMPANIES = ("brightpath", "tidewater", "lumen")
"""Accounts of the demo workspace that have a company in the CRM."""
_ADMIN = "local-admin"
_WEBHOOK = "/v1/crm/hubspot/webhook"
_OPEN, _CLOSED = "1", "4"


class Product(Protocol):
    """A running product, as the account uses it: a `LocalStack`, or `Containers`."""

    url: str

    @property
    def environment(self) -> Mapping[str, str]: ...  # noqa: D102

    def ask(self, request: Request) -> Response: ...  # noqa: D102

    def call(self, method: str, path: str, key: str = "", body: object = None) -> dict[str, Any]: ...  # noqa: D102

    def invoke(self, logical_id: str, event: str) -> str: ...  # noqa: D102


class _Now(VirtualClock):
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class LocalHubSpot:
    """The account, inside of a `with` statement.

    >>> with LocalStack(port=3000) as stack, LocalHubSpot(stack) as hubspot:
    ...     hubspot.connect()
    """

    def __init__(self, product: Product, reach: Callable[[str], str] | None = None) -> None:
        """Take the product to connect to.

        Args:
            product: the running product; its port may answer later.
            reach: returns the URL by which the functions reach a URL of this machine, where they are in containers.
        """
        self._stack = product
        self._reach = reach or str
        address = "127.0.0.1" if reach is None else "0.0.0.0"  # noqa: S104  (containers come from outside of the loopback)
        self._fake = hubspot.FakeHubSpot(_Now(), address=address)
        self._attio = attio.FakeAttio(_Now(), address=address)
        self._companies: dict[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self._fake)
            undo.enter_context(self._attio)
            self._sqs = boto3.client("sqs")
            undo.callback(self._sqs.close)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def connect(self) -> None:
        """Fill the account, put its token into the secret, connect it, and read it for the first time."""
        environment = self._stack.environment
        found = {
            "CRM_SECRET_ARN": {"hubspot": self._tokens(self._fake), "attio": self._tokens(self._attio)},
            "CRM_WEBHOOK_SECRET_ARN": {
                "hubspot": {"webhook_secret": hubspot.SECRET},
                "attio": {"webhook_secret": attio.SECRET},
            },
        }
        secrets = boto3.client("secretsmanager")
        for variable, secret in found.items():
            name = environment[variable].rpartition(":")[2]
            secrets.create_secret(Name=name, SecretString=json.dumps(secret))
        secrets.close()
        self._queue = self._sqs.create_queue(QueueName=environment["CRM_QUEUE_URL"].rpartition("/")[2])["QueueUrl"]
        now = datetime.now(UTC)
        for account_id in COMPANIES:
            company = self._fake.add("companies", name=account_id.title(), account_id=account_id)
            self._fake.add("deals", company, dealstage="appointmentscheduled")
            met = now - timedelta(days=3)
            self._fake.add("meetings", company, hs_meeting_start_time=met, hs_meeting_outcome="COMPLETED")
            self._companies[account_id] = company
        options = {"webhook_url": self._stack.url + _WEBHOOK, "write_back": True}
        self._stack.call("PUT", "/v1/crm/hubspot", _ADMIN, options)
        self._stack.invoke("CrmSyncFunction", "{}")

    def connect_attio(self) -> None:
        """Connect a workspace of Attio besides, without companies.

        Attio signs no time, so that a webhook can be kept in a file (`events/crm_webhook.json`); one of HubSpot is
        refused after five minutes.
        """
        self._stack.call("PUT", "/v1/crm/attio", _ADMIN, {})

    def _tokens(self, fake: FakeService) -> dict[str, str]:
        return {"token": fake.token, "url": self._reach(fake.url)}

    def answer(self, request: Request) -> Response | None:
        """Answer `POST /_local/crm/tickets`, which opens or closes a ticket; None for other requests."""
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
        webhook = self._stack.ask(Request("POST", _WEBHOOK, tuple(headers.items()), body))
        self._refresh()
        return _json(HTTPStatus.OK, {"ticket_id": ticket, "webhook": webhook.status})

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
