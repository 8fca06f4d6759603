"""Erases accounts from the dataset, after they were erased from the tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger

from healthscore import startup
from healthscore.dataset.erasing import erase_pending

STOP_BEFORE_MS = 60_000
"""No night is begun later: to rewrite a part of it takes seconds."""

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Erase all accounts that are pending, and return the messages where some are left: SQS delivers them again.

    A message says only that there is something to erase: which accounts, the table knows.

    Args:
        event: an SQS event.
        context: Lambda's.

    Raises:
        StorageUnavailableError: some may be left; SQS delivers the messages again.
    """

    def keep_going() -> bool:
        return bool(context.get_remaining_time_in_millis() > STOP_BEFORE_MS)

    now = datetime.now(UTC)
    until = now + timedelta(milliseconds=context.get_remaining_time_in_millis())
    if erase_pending(now, until, keep_going):
        return {"batchItemFailures": []}
    logger.warning("accounts are left in the dataset: somebody is writing a night, or time is up")
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}


startup.complete()
