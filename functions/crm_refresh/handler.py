"""Reads the companies that webhooks have named, applies their facts, and sends the alerts at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from healthscore import startup
from healthscore.integrations.crm.protocol import Change
from healthscore.metrics import Metric, embedded
from healthscore.services.crm_sync.session import Session, open_session
from healthscore.services.crm_sync.sync import refresh
from healthscore.services.notifications.outbox import open_outbox
from healthscore.storage.crm import connections

TRIES_WITHOUT_COMPANY = 3
"""A record without a company is read this often: its association may come late, or never."""
RESERVE_SECONDS = 10

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Handle the messages of the queue, and return those that failed: SQS delivers them again.

    Args:
        event: an SQS event.
        context: Lambda's.
    """
    outbox = open_outbox(logger)

    def left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    failed: list[str] = []
    sessions: dict[str, Session] = {}
    unreadable = 0
    for record in event["Records"]:
        message_id = record["messageId"]
        try:
            message = json.loads(record["body"])
            provider, changes = message["provider"], [Change(*named) for named in message["changes"]]
            connection = connections.connection(provider)
            if connection is None or connection.disconnecting:
                continue
            if provider not in sessions:
                # One session for all messages of a CRM: they share its limits, and the stages of its pipelines.
                sessions[provider] = open_session(connection, outbox, logger, left=left, reserve=RESERVE_SECONDS)
            without_company, grown = refresh(sessions[provider], changes)
            unreadable += grown
        except Exception as error:  # noqa: BLE001  (whatever it is, it concerns this message, and stops no other)
            logger.warning("a refresh failed", error=type(error).__name__)
            failed.append(message_id)
            continue
        if without_company and int(record["attributes"]["ApproximateReceiveCount"]) < TRIES_WITHOUT_COMPANY:
            failed.append(message_id)
    if unreadable:
        figures = embedded({Metric.CRM_VALUES_UNREADABLE: unreadable}, context, datetime.now(UTC))
        logger.info("values could not be read", **figures)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


startup.complete()
