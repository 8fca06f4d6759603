"""Attio's webhooks: verified and parsed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from healthscore.integrations.crm.protocol import Change
from healthscore.integrations.crm.reading import at, record_id

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
        if not isinstance(events, list) or (events and not any(isinstance(event, dict) for event in events)):
            raise ValueError("Attio sends an object with events")
        return list(dict.fromkeys(change for event in events for change in _changes(event)))


def _changes(event: object) -> list[Change]:
    """The records that an event names; none where it is none of ours, or cannot be read."""
    kind, what = record_id(at(event, "id", "object_id")), str(at(event, "event_type"))
    record, attribute = record_id(at(event, "id", "record_id")), record_id(at(event, "id", "attribute_id"))
    if not what.startswith("record.") or kind is None or record is None:
        return []
    found = [Change(kind, record, attribute or "", gone=what == "record.deleted")]
    if what == "record.merged":
        # The record is the one that two were merged into; a second event names the other of the two.
        merged = record_id(at(event, "duplicate_record_id"))
        of_kind = record_id(at(event, "duplicate_object_id")) or kind
        found += [Change(of_kind, merged, gone=True)] if merged else []
    return found
