"""How alerts are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.alerts import Alert
from healthscore.http.paths import account_path

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST, OTHERWISE = 200, 50
"""Alerts of a page: at most, and where `limit` is not given."""


def alert_document(body: Mapping[str, Any], status: str) -> dict[str, Any]:
    """One alert as the API shows it: what it says, the account's ready `path`, and its `status`.

    Args:
        body: the alert as it is stored.
        status: `pending` until it was sent, then `sent`.
    """
    alert = Alert.from_json(dict(body))
    path = None if alert.account_id is None else account_path(alert.account_id)
    return {**alert.to_json(), "path": path, "status": status}
