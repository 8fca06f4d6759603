"""How alerts are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.model import Alert
from healthscore.http.paths import account_path

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST, OTHERWISE = 200, 50
"""Alerts of a page: at most, and where `limit` is not given."""


def alert_document(body: Mapping[str, Any], status: str, acknowledgement: Mapping[str, Any] | None) -> dict[str, Any]:
    """One alert as the API shows it: what it says, the account's ready `path`, its `status`, and who has it in hand.

    Args:
        body: the alert as it is stored.
        status: `pending` until it was sent, then `sent`.
        acknowledgement: what somebody said about it last, as it is stored; None where nobody has.
    """
    alert = Alert.from_json(dict(body))
    path = None if alert.account_id is None else account_path(alert.account_id)
    shown = (
        None
        if acknowledgement is None
        else {name: acknowledgement[name] for name in ("status", "by", "reason", "at", "until")}
    )
    return {**alert.to_json(), "path": path, "status": status, "handling": shown}
