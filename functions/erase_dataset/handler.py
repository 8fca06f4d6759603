"""Erases accounts from the dataset, after they were erased from the tables."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from healthscore import startup

logger = Logger()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle the messages of the queue, and return those that failed: SQS delivers them again.

    There is no dataset yet, so that nothing can be said to be erased: every message stays, for a version that has one.

    Args:
        event: an SQS event.
        _context: Lambda's.
    """
    logger.warning("nothing can be erased from the dataset yet", messages=len(event["Records"]))
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}


startup.complete()
