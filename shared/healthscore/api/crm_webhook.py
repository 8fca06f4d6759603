"""Webhooks of a connected CRM: verified, queued, answered; nothing is read from the CRM meanwhile."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from healthscore.http.errors import (
    BODY_TOO_LARGE,
    NOT_FOUND,
    STORAGE_UNAVAILABLE,
    ApiError,
    ErrorKind,
    invalid_request,
)
from healthscore.http.route import route
from healthscore.integrations.crm.protocol import WebhookRequest
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.services.crm_sync.queue import enqueue
from healthscore.services.crm_sync.webhook_secrets import WebhookSecrets
from healthscore.storage.crm import connections

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count
    from healthscore.http.request import Request

    class TakenWebhook(TypedDict):
        """A webhook was taken."""

        success: Literal[True]
        queued: Count
        """Changes that will be read."""


TAG = "CRM"
INVALID_SIGNATURE = ErrorKind(
    HTTPStatus.UNAUTHORIZED,
    "invalid_signature",
    "The webhook is not signed by the CRM's secret, or was taken before.",
)
MAX_BODY = 256 * 1024
CHANGES_A_MESSAGE = 100
REMEMBERED = timedelta(days=7)
"""Longer than any CRM repeats a webhook."""
_webhook_secrets = WebhookSecrets()


@route(
    "POST /v1/crm/{provider}/webhook",
    scope=None,
    query=None,
    body="crm_schemas.Webhook",
    errors=(INVALID_SIGNATURE, NOT_FOUND, STORAGE_UNAVAILABLE),
)
def take_webhook(request: Request) -> TakenWebhook:
    """Take a webhook of a CRM.

    For the CRM itself: its signature stands for a key. What has changed is queued, and read a moment later. Up to
    256 KiB.
    """
    name = request.params["provider"]
    connection = connections.connection(name) if name in PROVIDERS else None
    if connection is None or connection.disconnecting:
        raise ApiError(NOT_FOUND, "No such CRM is connected.")
    body = request.body
    if len(body) > MAX_BODY:
        raise ApiError(BODY_TOO_LARGE, f"A webhook may have {MAX_BODY} bytes at most.")
    provider = PROVIDERS[name]
    signed = WebhookRequest(request.method, connection.options.get("webhook_url", ""), request.headers, body)
    now = request.received_at
    if not _webhook_secrets.fits(name, now, lambda secret: provider.webhooks.verify(signed, secret, now)):
        raise _refused("The signature does not fit: check the webhook's secret and the option webhook_url.")
    repeat_header = provider.capabilities.repeat_header
    # A CRM that repeats a webhook says so by a header; otherwise the same signature again is a replay.
    repeat = request.headers.get(repeat_header or "") or hashlib.sha256(body + _signature(request)).hexdigest()
    digest = hashlib.sha256(f"{name}:{repeat}".encode()).hexdigest()
    if connections.webhook_known(digest):
        if repeat_header:
            return {"success": True, "queued": 0}
        raise _refused("This webhook was taken before.")
    try:
        changes = provider.webhooks.parse(body)
    except (ValueError, RecursionError):
        raise invalid_request("The body is not what this CRM sends.") from None
    for start in range(0, len(changes), CHANGES_A_MESSAGE):
        enqueue(name, changes[start : start + CHANGES_A_MESSAGE])
    connections.note_webhook(digest, now + REMEMBERED)
    return {"success": True, "queued": len(changes)}


def _signature(request: Request) -> bytes:
    return "".join(value for name, value in sorted(request.headers.items()) if "signature" in name).encode()


def _refused(message: str) -> ApiError:
    return ApiError(INVALID_SIGNATURE, message, headers={"WWW-Authenticate": 'Signature realm="healthscore"'})
