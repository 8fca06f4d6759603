"""The queue of records that webhooks have named; the only module that calls SQS."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from healthscore import process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.integrations.crm.protocol import Change

_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@process.once
def _sqs() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    return boto3.client("sqs", config=_CONFIG)


def enqueue(provider: str, changes: Sequence[Change]) -> None:
    """Queue records of a CRM for `crm_refresh` to read.

    Raises:
        BotoCoreError, ClientError: they are not queued; the CRM gets an error, and sends the webhook again.
    """
    named = [[change.kind, change.record_id, change.field, change.gone] for change in changes]
    _sqs().send_message(
        QueueUrl=os.environ["CRM_QUEUE_URL"], MessageBody=json.dumps({"provider": provider, "changes": named})
    )
