"""Connected CRMs: which there are, how reading them goes, and their companies that are no account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from healthscore.core.time import format_instant, parse_instant
from healthscore.http.api_keys import Scope
from healthscore.http.cursors import CURSOR, read_cursor, write_cursor
from healthscore.http.errors import NOT_FOUND, ApiError, invalid_request
from healthscore.http.query import Limit, Parameter
from healthscore.http.route import route
from healthscore.integrations.crm import options
from healthscore.integrations.crm.mapping import WORDS, Unmatched
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count, Instant
    from healthscore.http.request import Request
    from healthscore.storage.crm.connections import Connection

    ConnectionState = Literal["to be read", "reading everything", "reading what changed", "up to date", "disconnecting"]

    class CrmCounts(TypedDict):
        """How many companies there are, and of how many the account is known."""

        companies: Count
        matched: Count
        unmatched: Count

    class UnreadableValue(TypedDict):
        """A value of the CRM that cannot be read."""

        object: str
        """The kind of record, as the CRM calls it."""
        record_id: str | None
        """The CRM's own id; null where not even that can be read."""
        field: str | None
        """Null where the whole record was set aside."""
        read_at: Instant
        """When it was last met."""

    class UnreadableValues(TypedDict):
        """What cannot be read. Each value makes one fact unknown; all others are read."""

        count: Count
        values: list[UnreadableValue]
        """The first hundred."""
        missing: list[str]
        """Properties (`deals.renewal_date`) and kinds of records that are not there, or that the token may not read."""

    class CrmConnection(TypedDict):
        """A connected CRM, and how reading it goes."""

        provider: str
        options: dict[str, Any]
        """Every option, with the default of each that was not chosen."""
        connected_at: Instant
        state: ConnectionState
        pages_read: Count
        """Of the run that is under way; 0 where there is none."""
        last_run: Instant | None
        last_success: Instant | None
        """When it was last read to the end."""
        last_full: Instant | None
        """When everything was last read, not only what changed."""
        lag_seconds: int | None
        """How long ago `last_success` was."""
        counts: CrmCounts | None
        error: str | None
        """What went wrong in the last run, in words."""
        unreadable: UnreadableValues

    class CrmConnections(TypedDict):
        """The connected CRMs."""

        connections: list[CrmConnection]

    class Disconnecting(TypedDict):
        """Disconnecting has begun."""

        success: Literal[True]
        state: Literal["disconnecting"]

    class UnmatchedCompany(TypedDict):
        """A company that is no account."""

        company_id: str
        name: str | None
        domains: list[str]
        reason: Literal[
            "no_domain",
            "free_mail",
            "no_account",
            "account_unknown",
            "several_accounts",
            "same_domain",
            "same_account",
        ]
        what_to_do: str

    class UnmatchedCompanies(TypedDict):
        """A page of companies that are no account."""

        provider: str
        unmatched: list[UnmatchedCompany]
        cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""


TAG = "CRM"
_PROVIDER = Parameter("provider", "The CRM; the first that is connected where it is left out.", {"type": "string"})
_LIMIT = Limit(most=1000, default=100)
_READING: Mapping[str, ConnectionState] = {"full": "reading everything", "changes": "reading what changed"}


@route("GET /v1/crm", scope=Scope.ADMIN)
def get_crms(request: Request) -> CrmConnections:
    """The connected CRMs.

    The CRMs that are connected, and how reading them goes.
    """
    return {"connections": [_document(found, request.received_at) for found in connections.connections()]}


@route("GET /v1/crm/unmatched", scope=Scope.ADMIN, query=(_PROVIDER, _LIMIT, CURSOR), errors=(NOT_FOUND,))
def get_unmatched(request: Request) -> UnmatchedCompanies:
    """Companies that are no account.

    Companies of the CRM for which no account was found, with the reason and what to do about it.
    """
    connected = [found.provider for found in connections.connections()]
    provider = request.query.get("provider") or next(iter(connected), "")
    if provider not in connected:
        raise ApiError(NOT_FOUND, "This CRM is not connected.")
    question = ["unmatched", provider]
    limit, after = _LIMIT.read(request), read_cursor(request, question)
    found, place = crm_companies.unmatched(provider, limit, after)
    return {
        "provider": provider,
        "unmatched": [cast("UnmatchedCompany", {**company, "what_to_do": _advice(company)}) for company in found],
        "cursor": write_cursor(question, place),
    }


@route("PUT /v1/crm/{provider}", scope=Scope.ADMIN, body="crm_schemas.CrmOptions", errors=(NOT_FOUND,))
def connect_crm(request: Request) -> CrmConnection:
    """Connect a CRM.

    Connects a CRM, or changes the options of one that is connected; everything is read again. An option that is left
    out has its default. Tokens are no options: they lie in AWS Secrets Manager.
    """
    provider = _provider(request)
    body = request.json()
    if not isinstance(body, dict):
        raise invalid_request("The body must be an object with the options.")
    try:
        chosen = options.read(PROVIDERS[provider].options, body)
    except ValueError as error:
        raise invalid_request(f"Nothing was changed: {error}.") from None
    return _document(connections.connect(provider, chosen.to_json(), request.received_at), request.received_at)


@route("DELETE /v1/crm/{provider}", scope=Scope.ADMIN, errors=(NOT_FOUND,))
def disconnect_crm(request: Request) -> Disconnecting:
    """Disconnect a CRM.

    The next run takes back all that came from it: what only this CRM says becomes unknown.
    """
    if not connections.begin_disconnecting(_provider(request)):
        raise ApiError(NOT_FOUND, "This CRM is not connected.")
    return {"success": True, "state": "disconnecting"}


def _advice(company: Mapping[str, Any]) -> str:
    return WORDS[Unmatched(company["reason"])]


def _provider(request: Request) -> str:
    name = request.params["provider"]
    if name not in PROVIDERS:
        raise ApiError(NOT_FOUND, f"CRMs that can be connected: {', '.join(PROVIDERS)}.")
    return name


def _document(connection: Connection, now: datetime) -> CrmConnection:
    status, state = connection.status, connection.state
    last = status.get("last_success")
    reading = _READING.get(state.get("run") or "", "up to date")
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
        "unreadable": _unreadable(connection.provider),
    }


def _unreadable(provider: str) -> UnreadableValues:
    found = unreadable.unread(provider)
    return {
        "count": found.count,
        "values": [
            {"object": kind, "record_id": record_id or None, "field": field or None, "read_at": read_at}
            for (kind, record_id, field), (_, read_at) in found.named.items()
        ],
        "missing": found.missing,
    }
