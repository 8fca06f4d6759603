"""A stand-in for the mappings by which Lambda takes messages from queues and invokes functions with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3

from tools.local import aws
from tools.local.lambdas import FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST = 10
"""As many messages at once as SQS gives."""


class Queues:
    """The queues of a template whose messages go to functions, on the embedded AWS."""

    def __init__(self, takers: Mapping[str, str], invoke: Callable[[str, str], str]) -> None:
        """Take the queues, which exist.

        Args:
            takers: the logical id of the function that takes the messages, by the queue's name.
            invoke: invokes a function with an event as JSON, and returns its result as JSON.
        """
        self._invoke = invoke
        self._sqs = boto3.client("sqs")
        self._takers = {self._sqs.get_queue_url(QueueName=name)["QueueUrl"]: taker for name, taker in takers.items()}

    def close(self) -> None:
        """Close the client; the queues go with the embedded AWS."""
        self._sqs.close()

    def deliver(self) -> None:
        """Invoke the functions with the messages that wait. Those that fail are hidden for a while, as in SQS."""
        for url, taker in self._takers.items():
            # Asked without a call, since this follows every request.
            while aws.waiting(url.rpartition("/")[2]) and (
                found := self._sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=_MOST, AttributeNames=["ApproximateReceiveCount"]
                ).get("Messages")
            ):
                records = [
                    {"messageId": one["MessageId"], "body": one["Body"], "attributes": one["Attributes"]}
                    for one in found
                ]
                try:
                    answer = json.loads(self._invoke(taker, json.dumps({"Records": records})))
                except FunctionError:  # its traceback is printed; all of them stay
                    continue
                failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
                for one in found:
                    if one["MessageId"] not in failed:
                        self._sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
