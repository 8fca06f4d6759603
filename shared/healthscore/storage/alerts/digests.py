"""The nights' digests (table History). They name accounts, whose ids are kept beside the text, for erasures to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import codec, writes
from healthscore.storage.accounts import existence
from healthscore.storage.alerts import messages

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthscore.core.alerts.model import Alert

NAMED = "named"
"""The attribute that holds the accounts that a digest names."""


def add(alert: Alert, named: Collection[str]) -> None:
    """Store a digest to be sent, unless that of the same night was stored before.

    Args:
        alert: the digest.
        named: the accounts that it names.

    Raises:
        ConditionFailedError: one of these accounts is gone, or being erased; or the digest was stored just now.
        StorageUnavailableError: not stored.
    """
    if messages.known(None, alert.alert_id):
        return
    beside = {NAMED: codec.texts(named)} if named else {}
    put = messages.put_new(messages.Message.of(alert), beside)
    writes.transact(put, *existence.checks(sorted(named)))
