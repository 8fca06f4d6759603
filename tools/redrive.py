"""Invoke a function again with the failed events of a dead-letter queue.

    python -m tools.redrive --queue URL --function NAME

Uses the AWS credentials and region of the shell. A message is deleted only after the function has succeeded. Every
event may be run again at any time, so an interrupted redrive is simply repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Invoke = Callable[[dict[str, Any]], None]

FUNCTION_SECONDS = 900
"""The longest that a function runs. A message is hidden from others, and the answer is waited for, as long as that."""


class RedriveError(Exception):
    """The function failed again; the message stays in the queue."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a dead-letter queue."""

    event: dict[str, Any]
    """The event with which the function is to be invoked."""
    handle: str
    """The receipt handle, for deleting the message."""


def event_of(body: str) -> dict[str, Any]:
    """Read the event in a message.

    Args:
        body: the message's body: Lambda's record of a failed asynchronous invocation, which holds the event as
            `requestPayload`; or the event itself, which EventBridge Scheduler puts there after a start that failed.

    Raises:
        ValueError: the body is neither.
    """
    content = json.loads(body)
    if isinstance(content, dict) and "requestContext" in content:
        content = content.get("requestPayload")
    if not isinstance(content, dict):
        raise ValueError("the message holds no event")  # noqa: TRY004  (one error for bad messages)
    return content


def letters(sqs: Any, queue: str) -> Iterator[Letter]:  # noqa: ANN401  (the client)
    """The visible messages of a queue; each is hidden from others while the function runs."""
    while True:
        received = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=1, VisibilityTimeout=FUNCTION_SECONDS, WaitTimeSeconds=0
        )
        if not received.get("Messages"):
            return
        (message,) = received["Messages"]
        yield Letter(event_of(message["Body"]), message["ReceiptHandle"])


def redrive(sqs: Any, queue: str, invoke: Invoke) -> int:  # noqa: ANN401  (the client)
    """Run each event of a queue again, and delete its message after that.

    Args:
        sqs: the SQS client.
        queue: URL of the dead-letter queue.
        invoke: runs an event, and raises an exception where it fails.

    Returns:
        The number of events that were run.

    Raises:
        RedriveError: the function failed; the message and those after it are still in the queue.
    """
    done = 0
    for letter in letters(sqs, queue):
        invoke(letter.event)
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=letter.handle)
        done += 1
    return done


def _invoking(function: str) -> Invoke:
    client: Any = boto3.client("lambda", config=Config(read_timeout=FUNCTION_SECONDS + 10, retries={"max_attempts": 0}))

    def invoke(event: dict[str, Any]) -> None:
        print(f"running {json.dumps(event)}")
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        result = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise RedriveError(f"{function} failed again: {result}")
        print(result)

    return invoke


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.redrive", description="Run again what was given up.")
    parser.add_argument("--queue", required=True, help="URL of the dead-letter queue (an output of the stack)")
    parser.add_argument("--function", required=True, help="name of the function (an output of the stack)")
    options = parser.parse_args(arguments)
    try:
        done = redrive(boto3.client("sqs"), options.queue, _invoking(options.function))
    except (BotoCoreError, ClientError, RedriveError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{done} run, and the queue is empty" if done else "There is nothing to run.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
