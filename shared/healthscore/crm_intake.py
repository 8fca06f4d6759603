"""What stands outside the tables: the secret with the CRMs' tokens, and the queue of what webhooks have named."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from healthscore.crm.protocol import Change
from healthscore.crm.registry import secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def _client(service: str) -> Any:  # noqa: ANN401  (one of boto3's)
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]


def secrets(provider: str) -> dict[str, str]:
    """What the secret says of a CRM, read anew each time, so that a new token needs no deployment.

    Raises:
        ValueError: the secret is not of the form that docs/crm.md describes.
    """
    answer = _client("secretsmanager").get_secret_value(SecretId=os.environ["CRM_SECRET_ARN"])
    return secrets_of(provider, answer["SecretString"])


def enqueue(provider: str, changes: Sequence[Change]) -> None:
    """Have records refreshed behind the scenes."""
    named = [[change.kind, change.record_id, change.field] for change in changes]
    _client("sqs").send_message(
        QueueUrl=os.environ["CRM_QUEUE_URL"], MessageBody=json.dumps({"provider": provider, "changes": named})
    )


def queued(event: Mapping[str, Any]) -> Iterator[tuple[str, int, str, list[Change]]]:
    """The messages of an SQS event: id, how often it was received, provider, changes."""
    for record in event["Records"]:
        body = json.loads(record["body"])
        received = int(record["attributes"]["ApproximateReceiveCount"])
        yield record["messageId"], received, body["provider"], [Change(*named) for named in body["changes"]]
