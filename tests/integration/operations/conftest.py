"""The product in this process, as operators meet it: functions, tables, a topic, a dead-letter queue."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.sns.models import sns_backends

from healthscore.http.api_keys import Scope
from tools import ROOT, keys
from tools.local import template
from tools.local.cloudformation import ACCOUNT, REGION
from tools.local.gateway import Gateway
from tools.local.lambdas import Lambdas
from tools.local.web import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
TONIGHT = {"time": (TODAY - timedelta(hours=22)).strftime("%Y-%m-%dT%H:%M:%SZ")}
"""The night of yesterday, at 02:00."""


class Product:
    """The API and the functions behind it."""

    def __init__(self, topic_arn: str) -> None:
        stack = template.read(ROOT / "template.yaml", stack="test")
        self._lambdas = Lambdas(stack.functions, ROOT)
        self._gateway = Gateway(stack.routes, None, self._lambdas.invoke)
        self._topic_arn = topic_arn

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = (("authorization", "Bearer admin"), ("content-type", "application/json"))
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self._gateway.answer(Request(method, path, headers, sent))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def send(self, account_id: str, *days_ago: int) -> None:
        times = [(TODAY - timedelta(days=days) + timedelta(seconds=1)).isoformat() for days in days_ago]
        events = [{"account_id": account_id, "name": "seen", "user_id": "ada", "timestamp": at} for at in times]
        self.ask("POST", "/v1/events", {"events": events})

    def health(self, account_id: str) -> dict[str, Any]:
        """As of a fixed instant, so that answers can be compared."""
        return self.ask("GET", f"/v1/accounts/{account_id}/health?as_of={TODAY.isoformat().replace('+00:00', 'Z')}")

    def night(self, event: dict[str, Any]) -> dict[str, Any]:
        return json.loads(self._lambdas.invoke("NightlyFunction", json.dumps(event)))

    def alert_ids(self) -> list[str]:
        """The ids of the alerts that were published."""
        topic = sns_backends[ACCOUNT][REGION].topics[self._topic_arn]
        return [json.loads(json.loads(message)["default"])["alert_id"] for _, message, *_ in topic.sent_notifications]


@pytest.fixture
def product(moto: None, monkeypatch: pytest.MonkeyPatch) -> Product:
    sns = boto3.client("sns")
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    sns.close()
    monkeypatch.setenv("ALERTS_TOPIC_ARN", arn)
    keys.add("admin", Scope.ADMIN, "test", datetime.now(UTC))
    return Product(arn)


class Queue:
    """A dead-letter queue."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.url = client.create_queue(QueueName="dead-letters")["QueueUrl"]

    def put(self, message: object) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=json.dumps(message))

    @property
    def waiting(self) -> tuple[int, int]:
        """How many messages can be seen, and how many are hidden while somebody works on them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


@pytest.fixture
def queue(product: Product) -> Iterator[Queue]:
    client = boto3.client("sqs")
    yield Queue(client)
    client.close()


@pytest.fixture
def given_up() -> Callable[[dict[str, Any], str], dict[str, Any]]:
    """What Lambda leaves in the queue of an event that it has tried three times."""

    def record(event: dict[str, Any], error: str) -> dict[str, Any]:
        return {
            "version": "1.0",
            "timestamp": "2026-11-21T02:06:11.123Z",
            "requestContext": {
                "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:healthscore-NightlyFunction:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorType": error, "errorMessage": ""},
        }

    return record
