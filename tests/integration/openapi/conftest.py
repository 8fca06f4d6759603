"""A local stack of this process, with the accounts that the guides name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from healthscore.core.alerts.model import Alert, AlertKind, Severity, alert_id
from healthscore.core.time import format_instant
from healthscore.storage.alerts import messages
from tools.local.stack import LocalStack


@pytest.fixture(scope="module")
def stack():
    with LocalStack(port=0, report=lambda _line: None) as stack:
        event = {"account_id": "pinecrest", "user_id": "kate.lowell", "name": "login"}
        stack.call("POST", "/v1/events", "local-write", {"events": [{**event, "timestamp": _now()}]})
        stack.call("PUT", "/v1/accounts/acme", "local-admin", {"name": "Acme"})
        stack.call("PUT", "/v1/accounts/tidewater", "local-admin", {"name": "Tidewater Hotels"})
        stack.call("POST", "/_local/nightly")
        _keep_alert("tidewater")
        stack.serve()
        yield stack


def _keep_alert(account_id):
    """Keep an alert of today, as a night makes it."""
    now, kind = datetime.now(UTC), AlertKind.SILENT
    words = ("Nobody came", "Nobody was seen.", (), "Call.")
    alert = Alert(alert_id(kind, now.date(), account_id), account_id, kind, Severity.LOW, now.date(), now, *words)
    messages.add(messages.Message(account_id, alert.alert_id, now, alert.to_json()))


def _now():
    return format_instant(datetime.now(UTC))
