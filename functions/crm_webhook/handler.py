"""Takes CRM webhooks: verified, queued, answered; nothing is read from the CRM while it waits."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore import startup
from healthscore.http.errors import ApiError, invalid_request
from healthscore.http.router import Router
from healthscore.integrations.crm.protocol import WebhookRequest
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.services.crm_sync.queue import enqueue
from healthscore.services.crm_sync.secrets import WebhookSecrets
from healthscore.storage.crm import connections

if TYPE_CHECKING:
    from healthscore.http.request import Request

MAX_BODY = 256 * 1024
CHANGES_A_MESSAGE = 100
REMEMBERED = timedelta(days=7)
"""Longer than any CRM repeats a webhook."""

router = Router()
webhook_secrets = WebhookSecrets()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, lambda _hash: None)


@router.route("POST /v1/crm/{provider}/webhook")
def post_webhook(request: Request) -> dict[str, Any]:
    """Take a webhook; its signature stands for a key."""
    name = request.params["provider"]
    connection = connections.connection(name) if name in PROVIDERS else None
    if connection is None or connection.disconnecting:
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "No such CRM is connected.")
    body = request.body
    if len(body) > MAX_BODY:
        raise ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"A webhook may have {MAX_BODY} bytes at most."
        )
    provider = PROVIDERS[name]
    signed = WebhookRequest(request.method, connection.options.get("webhook_url", ""), request.headers, body)
    now = request.received_at
    if not webhook_secrets.fits(name, now, lambda secret: provider.webhooks.verify(signed, secret, now)):
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
    headers = {"WWW-Authenticate": 'Signature realm="healthscore"'}
    return ApiError(HTTPStatus.UNAUTHORIZED, "invalid_signature", message, headers=headers)


startup.complete()
