"""Messages to the stack's queues; the only module that calls SQS."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from healthscore import process

_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@process.once
def _sqs() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    return boto3.client("sqs", config=_CONFIG)


def send(queue_url: str, message: object) -> None:
    """Put a message into a queue, as JSON.

    Raises:
        BotoCoreError, ClientError: it may not be there.
    """
    _sqs().send_message(QueueUrl=queue_url, MessageBody=json.dumps(message))
