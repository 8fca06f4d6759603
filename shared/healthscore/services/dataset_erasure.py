"""The queue of erasures from the dataset; the only module that sends to it."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from healthscore import process
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import tombstones

_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@process.once
def _sqs() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    return boto3.client("sqs", config=_CONFIG)


def is_pending(account_id: str) -> bool:
    """Whether a file of the dataset may still have an account that is erased.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return any(one.account_id == account_id for one in tombstones.pending())


def enqueue() -> None:
    """Have the accounts whose erasure is pending erased from the dataset.

    Raises:
        StorageUnavailableError: it may not be queued; then the next night does it.
    """
    try:
        _sqs().send_message(QueueUrl=os.environ["ERASURE_QUEUE_URL"], MessageBody="{}")
    except (BotoCoreError, ClientError) as error:
        raise StorageUnavailableError(type(error).__name__) from error
