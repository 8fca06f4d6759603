"""Reads the connected CRMs on a schedule, and writes the night's scores back to them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from healthscore import startup
from healthscore.integrations.crm.protocol import AccessError, CrmError
from healthscore.metrics import Metric, embedded
from healthscore.services.crm_sync.session import open_session
from healthscore.services.crm_sync.sync import run, save_error
from healthscore.services.crm_sync.write_back import write_back_all
from healthscore.services.notifications.outbox import open_outbox
from healthscore.storage.crm import connections

RESERVE_SECONDS = 120
"""The longest that a page is expected to take: no page is begun with less time left."""

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Do what is due for every connected CRM. A CRM that does not answer stops no other.

    Args:
        event: `{}` to read what is due, `{"task": "write-back"}` to write every account's score.
        context: Lambda's.

    Raises:
        ValueError: the event is neither.
        StorageUnavailableError: the tables cannot be read or written now; the next run continues.
    """
    if event not in ({}, {"task": "write-back"}):
        raise ValueError('crm_sync takes {} or {"task": "write-back"}')
    outbox = open_outbox(logger)

    def left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    results = []
    for connection in connections.connections():
        try:
            session = open_session(connection, outbox, logger, left=left, reserve=RESERVE_SECONDS)
            if not event:
                results.append(run(session))
            elif session.writing and not connection.disconnecting:
                written = write_back_all(session.provider, session.connector, session.keep_going)
                results.append({"provider": session.provider, "written": written})
        except CrmError as error:
            refused = {"refused": 1} if isinstance(error, AccessError) else {}
            results.append(save_error(connection.provider, str(error)) | refused)
    counted = ((Metric.CRM_VALUES_UNREADABLE, "unreadable"), (Metric.CRM_REFUSED, "refused"))
    figures = {metric: sum(result.get(name, 0) for result in results) for metric, name in counted}
    logger.info("done", result=results, **(embedded(figures, context, datetime.now(UTC)) if results else {}))
    return {"results": results}


startup.complete()
