"""A session with a connected CRM, opened with its options (in a table) and its token (in a secret)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from healthscore.integrations.crm import options
from healthscore.integrations.crm.client import Clock
from healthscore.integrations.crm.protocol import AccessError
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.services.crm_sync.secrets import secrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from healthscore.integrations.crm.protocol import Connector
    from healthscore.services.notifications.outbox import Outbox
    from healthscore.storage.crm.connections import Connection

CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Session:
    """One connected CRM, with all that reading and writing it needs.

    Attributes:
        provider: its name.
        connector: reads and writes it.
        writing: whether scores are written back.
        outbox: where alerts go out.
        logger: logs figures and errors, never what a record contains.
        clock: returns the instant, aware UTC.
        keep_going: False where there is no time for a further page.
        alerting: whether changes may alert: only after a full run under the present options, since facts that change
            before come from connecting the CRM or from new options.
    """

    provider: str
    connector: Connector
    writing: bool
    outbox: Outbox
    logger: Logger
    clock: Callable[[], datetime]
    keep_going: Callable[[], bool]
    alerting: bool


def open_session(
    connection: Connection, outbox: Outbox, logger: Logger, *, left: Callable[[], float], reserve: float
) -> Session:
    """Open a session with a connected CRM.

    Args:
        connection: the CRM and its options.
        outbox: sends alerts.
        logger: logs figures and errors, never what a record contains.
        left: returns the seconds until the function is stopped.
        reserve: the seconds that have to be left for a further page to be begun.

    Raises:
        AccessError: the secret holds no token for this CRM, or is not of the form that docs/crm.md describes.
    """
    provider = PROVIDERS[connection.provider]
    try:
        found = secrets(connection.provider)
    except ValueError as error:
        raise AccessError(f"{error}; docs/crm.md says what it must look like") from None
    if not found.get("token"):
        raise AccessError("the secret holds no token for this CRM")
    chosen = options.read(provider.options, connection.options)
    clock = replace(CLOCK, left=lambda: left() - reserve)
    return Session(
        provider=connection.provider,
        connector=provider.connect(chosen, found["token"], found.get("url", ""), clock),
        writing=chosen.write_back,
        outbox=outbox,
        logger=logger,
        clock=CLOCK.now,
        keep_going=lambda: left() > reserve,
        alerting=connection.read_once,
    )
