"""The queue of records that webhooks have named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from healthscore.services import queues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.integrations.crm.protocol import Change


def enqueue(provider: str, changes: Sequence[Change]) -> None:
    """Queue records of a CRM for `crm_refresh` to read.

    Raises:
        BotoCoreError, ClientError: they are not queued; the CRM gets an error, and sends the webhook again.
    """
    named = [[change.kind, change.record_id, change.field, change.gone] for change in changes]
    queues.send(os.environ["CRM_QUEUE_URL"], {"provider": provider, "changes": named})
