"""Attio's webhooks: verified and parsed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from healthscore.integrations.crm.protocol import Change

if TYPE_CHECKING:
    from datetime import datetime

    from healthscore.integrations.crm.protocol import WebhookRequest


class AttioWebhooks:
    """Webhooks signed by HMAC-SHA256 of the body, in hex: without a time; a repeat has the same `Idempotency-Key`."""

    def verify(self, request: WebhookRequest, secret: str, now: datetime) -> bool:  # noqa: ARG002  (Attio signs no time)
        """See `Webhooks.verify`."""
        expected = hmac.digest(secret.encode(), request.body, hashlib.sha256).hex()
        return hmac.compare_digest(expected.encode(), request.headers.get("attio-signature", "").encode())

    def parse(self, body: bytes) -> list[Change]:
        """See `Webhooks.parse`. The result includes our own changes by `write_back`; `Attio.refresh` skips them."""
        document = json.loads(body)
        events = document.get("events") if isinstance(document, dict) else None
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise ValueError("Attio sends an object with events")
        found = []
        for event in events:
            ids = event.get("id")
            if str(event.get("event_type", "")).startswith("record.") and isinstance(ids, dict):
                names = (str(ids.get(name, "")) for name in ("object_id", "record_id", "attribute_id"))
                found.append(Change(*names))
        return [change for change in dict.fromkeys(found) if change.kind and change.record_id]
