"""Messages of the template's queues reach their functions, each until its function has taken it."""

from __future__ import annotations

import json

import boto3
import pytest

from tools.local import aws
from tools.local.lambdas import FunctionError
from tools.local.queues import Queues
from tools.local.stack import LocalStack


@pytest.fixture
def sqs(moto):
    client = boto3.client("sqs")
    yield client
    client.close()


@pytest.fixture
def delivered(sqs):
    """What a function got, and what makes it fail: a body for a message, or an error for all."""
    got, failing = [], set()

    def invoke(function, event):
        records = json.loads(event)["Records"]
        got.append((function, sorted(record["body"] for record in records)))
        if "everything" in failing:
            raise FunctionError("it raised")
        failed = [{"itemIdentifier": record["messageId"]} for record in records if record["body"] in failing]
        return json.dumps({"batchItemFailures": failed})

    aws.create_queues(["work"])
    queues = Queues({"work": "Worker"}, invoke)
    yield queues, got, failing
    queues.close()


def send(sqs, *bodies):
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def kept(sqs):
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    asked = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"].values()))


def test_deliver__messages__reach_the_function_once(sqs, delivered):
    queues, got, _ = delivered
    send(sqs, "a", "b")
    queues.deliver()
    queues.deliver()
    assert got == [("Worker", ["a", "b"])]
    assert kept(sqs) == 0


def test_deliver__nothing_there__invokes_nothing(delivered):
    queues, got, _ = delivered
    queues.deliver()
    assert got == []


@pytest.mark.parametrize(("failing_on", "left"), [("b", 1), ("everything", 2)])
def test_deliver__function_that_fails__leaves_what_failed(sqs, delivered, failing_on, left):
    queues, got, failing = delivered
    failing.add(failing_on)
    send(sqs, "a", "b")
    queues.deliver()
    assert (len(got), kept(sqs)) == (1, left)


def test_local_stack__message_for_a_function__reaches_it_with_the_next_request():
    with LocalStack(0, report=lambda _line: None) as stack:
        client = boto3.client("sqs")
        client.send_message(QueueUrl=stack.environment["ERASURE_QUEUE_URL"], MessageBody=json.dumps({}))
        client.close()
        queue = stack.environment["ERASURE_QUEUE_URL"].rpartition("/")[2]
        assert aws.waiting(queue) == 1
        stack.call("GET", "/healthz")
        assert aws.waiting(queue) == 0
