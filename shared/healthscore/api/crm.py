"""What the API says of connected CRMs, and how one is connected and disconnected."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, parse_instant
from healthscore.http import query
from healthscore.http.cursors import read_cursor, read_limit, write_cursor
from healthscore.http.errors import ApiError, invalid_request
from healthscore.integrations.crm import options
from healthscore.integrations.crm.mapping import WORDS, Unmatched
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from healthscore.http.request import Request
    from healthscore.storage.crm.connections import Connection

_LIMIT, _MAX_LIMIT = 100, 1000


def get_crm(request: Request) -> dict[str, Any]:
    """The CRMs that are connected, and how reading them goes."""
    query.only(request)
    return {"connections": [_document(found, request.received_at) for found in connections.connections()]}


def put_crm_connection(request: Request) -> dict[str, Any]:
    """Connect a CRM, or change its options; everything is read anew."""
    query.only(request)
    provider = _provider(request)
    body = request.json()
    if not isinstance(body, dict):
        raise invalid_request("The body must be an object with the options.")
    try:
        chosen = options.read(PROVIDERS[provider].options, body)
    except ValueError as error:
        raise invalid_request(f"Nothing was changed: {error}.") from None
    return _document(connections.connect(provider, chosen.to_json(), request.received_at), request.received_at)


def delete_crm_connection(request: Request) -> dict[str, Any]:
    """Disconnect a CRM: the next run takes back all that came from it."""
    query.only(request)
    if not connections.begin_disconnecting(_provider(request)):
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "This CRM is not connected.")
    return {"success": True, "state": "disconnecting"}


def get_crm_unmatched(request: Request) -> dict[str, Any]:
    """Companies of the CRM that are no account, with the reason and what to do about it."""
    query.only(request, "provider", "limit", "cursor")
    connected = [found.provider for found in connections.connections()]
    provider = request.query.get("provider") or next(iter(connected), "")
    if provider not in connected:
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", "This CRM is not connected.")
    question = ["unmatched", provider]
    limit, after = read_limit(request, most=_MAX_LIMIT, otherwise=_LIMIT), read_cursor(request, question)
    found, place = crm_companies.unmatched(provider, limit, after)
    return {
        "provider": provider,
        "unmatched": [{**company, "what_to_do": WORDS[Unmatched(company["reason"])]} for company in found],
        "cursor": write_cursor(question, place),
    }


ROUTES: Mapping[str, Callable[[Request], Mapping[str, Any]]] = {
    "GET /v1/crm": get_crm,
    "GET /v1/crm/unmatched": get_crm_unmatched,
    "PUT /v1/crm/{provider}": put_crm_connection,
    "DELETE /v1/crm/{provider}": delete_crm_connection,
}
"""The functions by their routes."""


def _provider(request: Request) -> str:
    name = request.params["provider"]
    if name not in PROVIDERS:
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"CRMs that can be connected: {', '.join(PROVIDERS)}.")
    return name


def _document(connection: Connection, now: datetime) -> dict[str, Any]:
    status, state = connection.status, connection.state
    last = status.get("last_success")
    reading = {"full": "reading everything", "changes": "reading what changed"}.get(
        state.get("run") or "", "up to date"
    )
    return {
        "provider": connection.provider,
        "options": connection.options,
        "connected_at": format_instant(connection.connected_at),
        "state": "disconnecting" if connection.disconnecting else reading if last or state else "to be read",
        "pages_read": state.get("page", 0) if state.get("run") else 0,
        "last_run": status.get("last_run"),
        "last_success": last,
        "last_full": status.get("last_full"),
        "lag_seconds": None if last is None else int((now - parse_instant(last)).total_seconds()),
        "counts": status.get("counts"),
        "error": status.get("error"),
    }
