"""HubSpot's webhooks: verified and parsed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.time import from_millis, millis
from healthscore.integrations.crm.hubspot_api import WRITTEN_PROPERTIES
from healthscore.integrations.crm.protocol import Change
from healthscore.integrations.crm.reading import record_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from healthscore.integrations.crm.protocol import WebhookRequest

WEBHOOK_AGE = timedelta(minutes=5)
_TYPE_IDS = {"0-2": "companies", "0-3": "deals", "0-5": "tickets", "0-47": "meetings", "0-49": "emails"}
_DECODED = {f"%{ord(character):02X}": character for character in ":/?@!$'()*,;"}
_SINGULARS = {"company": "companies", "deal": "deals", "ticket": "tickets"}


class HubSpotWebhooks:
    """Webhooks with HubSpot's signature of version 3: up to a hundred events, in any order, perhaps repeated."""

    def verify(self, request: WebhookRequest, secret: str, now: datetime) -> bool:
        """See `Webhooks.verify`; a request older than five minutes, or from the future, is refused."""
        stamp = request.headers.get("x-hubspot-request-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= len(str(millis(now)))):
            return False
        if not timedelta(0) <= now - from_millis(int(stamp)) <= WEBHOOK_AGE:
            return False
        signed = request.method.encode() + _signed_url(request.url).encode() + request.body + stamp.encode()
        expected = base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256))
        return hmac.compare_digest(expected, request.headers.get("x-hubspot-signature-v3", "").encode())

    def parse(self, body: bytes) -> list[Change]:
        """See `Webhooks.parse`; changes that `write_back` made are skipped."""
        events = json.loads(body)
        if not isinstance(events, list) or (events and not any(isinstance(event, dict) for event in events)):
            raise ValueError("HubSpot sends a list of events")
        found = [change for event in events if isinstance(event, dict) for change in _changes(event)]
        return list(dict.fromkeys(found))


def _signed_url(url: str) -> str:
    """The URL as HubSpot signs it: with the characters of `_DECODED` decoded, and no others."""
    for encoded, decoded in _DECODED.items():
        url = url.replace(encoded, decoded).replace(encoded.lower(), decoded)
    return url


def _changes(event: Mapping[str, Any]) -> list[Change]:
    """The records that an event names; none where it is none of ours, or cannot be read."""
    singular, _, what = str(event.get("subscriptionType", "")).partition(".")
    if str(event.get("propertyName", "")) in WRITTEN_PROPERTIES:
        return []
    if what == "associationChange":
        sides = str(event.get("associationType", "")).lower().split("_to_")
        ends = [("fromObjectId", "fromObjectTypeId"), ("toObjectId", "toObjectTypeId")]
        names = sides if len(sides) == len(ends) else ["", ""]
        pairs = [
            (_kind(side, event.get(type_id)), event.get(name))
            for side, (name, type_id) in zip(names, ends, strict=True)
        ]
        # The company's id is needed where the association was removed: the other record no longer leads to it.
        return _named([pair for pair in pairs if pair[0] == "companies"] or pairs)
    kind = _kind(singular, event.get("objectTypeId"))
    if what == "merge":
        merged = event.get("mergedObjectIds")
        left = {"primaryObjectId": event.get("primaryObjectId"), "newObjectId": event.get("newObjectId")}
        # Since 2025 two companies become a new one. Before, the primary one went on under its id.
        new = left["newObjectId"] if record_id(left["newObjectId"]) else left["primaryObjectId"]
        gone = [*(merged if isinstance(merged, list) else []), *left.values(), event.get("objectId")]
        return _named([(kind, new)]) + _named([(kind, one) for one in gone if one != new], gone=True)
    return _named([(kind, event.get("objectId"))], gone=what in ("deletion", "privacyDeletion"))


def _named(pairs: Iterable[tuple[str | None, object]], *, gone: bool = False) -> list[Change]:
    found = [(kind, record_id(number)) for kind, number in pairs]
    return [Change(kind, number, gone=gone) for kind, number in found if kind and number and number.isdecimal()]


def _kind(singular: str, type_id: object) -> str | None:
    return _TYPE_IDS.get(str(type_id)) or _SINGULARS.get(singular)
