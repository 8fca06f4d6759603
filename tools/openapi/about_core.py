"""What the routes for events, scores, accounts and settings are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.openapi.answers import Account, History, Ingested, Pulse, VersionedSettings
from tools.openapi.answers_health import Health
from tools.openapi.operations import NOW, TODAY, Operation, Query

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCOUNT = {"account_id": "pinecrest"}
_DAY = {"type": "string", "format": "date"}

OPERATIONS: Mapping[str, Operation] = {
    "POST /v1/events": Operation(
        id="sendEvents",
        tag="Events",
        summary="Send events",
        words=(
            "Takes a batch of up to 2,500 events, plain or gzip. An event is identified by its account, its `event_id` "
            "and the day of its timestamp: sent again, it is counted among the `duplicates` and changes no figure, "
            "with no time limit. An account is created by its first event.\n\n"
            "200 means stored. After a 503, a timeout or a broken connection send the whole batch again. A bad event "
            "rejects itself, never its neighbours; where all are bad, the answer is 400 `all_rejected`."
        ),
        answer=Ingested,
        body="EventBatch",
        example={
            "events": [
                {
                    "event_id": "order-4711-exported",
                    "account_id": "pinecrest",
                    "user_id": "kate.lowell",
                    "name": "report_exported",
                    "timestamp": NOW,
                    "properties": {"format": "pdf"},
                }
            ]
        },
        errors=("all_rejected", "too_many_events"),
    ),
    "GET /v1/accounts/{account_id}/health": Operation(
        id="getHealth",
        tag="Scores",
        summary="The live score, explained",
        words=(
            "Computed from the stored events when it is asked for: an event answered 200 a moment before is in it. "
            "With `as_of` it answers for any past instant within `retention_days`, and the same question gets the same "
            "answer, to the bit."
        ),
        answer=Health,
        path=_ACCOUNT,
        query=(
            Query(
                "as_of",
                "The instant that is asked about; now where it is left out. The `+` of an offset is written `%2B`.",
                {"type": "string", "format": "date-time"},
                NOW,
            ),
        ),
        errors=("account_not_found", "as_of_in_future", "as_of_too_old"),
    ),
    "GET /v1/accounts/{account_id}/history": Operation(
        id="getHistory",
        tag="Scores",
        summary="The scores of past nights",
        words="The snapshots that the nightly run kept, oldest first.",
        answer=History,
        path=_ACCOUNT,
        query=(
            Query("from", "The first day; 89 days before `to` where it is left out.", _DAY),
            Query("to", "The last day, included; today where it is left out.", _DAY, TODAY),
        ),
        errors=("account_not_found",),
    ),
    "GET /v1/accounts/{account_id}": Operation(
        id="getAccount",
        tag="Accounts",
        summary="What is known about an account",
        words="Its profile, its CRM facts and its newest night.",
        answer=Account,
        path=_ACCOUNT,
        errors=("account_not_found",),
    ),
    "PUT /v1/accounts/{account_id}": Operation(
        id="putAccount",
        tag="Accounts",
        summary="Replace a profile",
        words=(
            "Replaces the whole profile: a field that is left out is gone afterwards. Creates the account. No field "
            "changes the standard score."
        ),
        answer=Account,
        path={"account_id": "acme"},
        body="Profile",
        example={
            "name": "Acme Corp",
            "owner": "Ann Lee",
            "owner_email": "ann@example.com",
            "plan": "pro",
            "arr": 12000,
            "renewal_date": "2027-03-31",
            "attributes": {"industry": "logistics", "seats": 40},
            "champions": ["u-17"],
        },
    ),
    "PATCH /v1/accounts/{account_id}": Operation(
        id="patchAccount",
        tag="Accounts",
        summary="Change a profile",
        words=(
            "Changes what is sent and leaves the rest. `null` takes a field away; `attributes` are merged one by one, "
            "and null takes one away."
        ),
        answer=Account,
        path={"account_id": "acme"},
        body="Profile",
        example={"plan": None, "attributes": {"seats": 55}},
        errors=("account_not_found",),
    ),
    "PUT /v1/accounts/{account_id}/crm": Operation(
        id="putCrm",
        tag="Accounts",
        summary="Replace the CRM facts",
        words=(
            "Replaces what was said before; a score as of the past uses what was known then. **A field left out is "
            "unknown; `null` says that there is none.** An unknown part is left out of the score, a part that is none "
            "counts against it. At least one field is needed. Creates the account."
        ),
        answer=Account,
        path={"account_id": "acme"},
        body="Crm",
        example={
            "provider": "hubspot",
            "open_tickets": 2,
            "high_priority_open": 0,
            "last_meeting_at": None,
            "last_email_at": NOW,
            "active_deal": True,
        },
    ),
    "GET /v1/settings": Operation(
        id="getSettings",
        tag="Workspace",
        summary="The settings",
        words="The workspace's settings, those that nobody has chosen with their defaults, and their version.",
        answer=VersionedSettings,
    ),
    "PUT /v1/settings": Operation(
        id="putSettings",
        tag="Workspace",
        summary="Replace the settings",
        words=(
            "Checks the settings as a whole, counts `version` up and keeps the version before. What is left out goes "
            "back to its default: read, change, and send the whole object under `settings`."
        ),
        answer=VersionedSettings,
        body="WorkspaceSettings",
        example={
            "milestones": ["account_created", "first_feature_used", "integration_connected"],
            "retention_days": 730,
            "alerts": {"silent": {"days": 10}},
        },
        errors=("timezone_fixed",),
    ),
    "GET /healthz": Operation(
        id="getPulse",
        tag="About the API",
        summary="A sign of life",
        words="Says that the API is there. No key is needed, and no table is read.",
        answer=Pulse,
    ),
    "GET /v1/openapi.json": Operation(
        id="getOpenApi",
        tag="About the API",
        summary="This description, for programs",
        words="The OpenAPI document.",
        answer=dict,
    ),
    "GET /v1/docs": Operation(
        id="getDocs",
        tag="About the API",
        summary="This description, for people",
        words="The OpenAPI document as a page that needs nothing from elsewhere.",
        answer=str,
        content="text/html; charset=utf-8",
    ),
}
