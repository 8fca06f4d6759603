"""What the routes for connected CRMs are for, and what they take."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from healthscore.integrations.crm.options import Options
from healthscore.integrations.crm.registry import PROVIDERS
from tools.openapi.answers_crm import CrmConnection, CrmConnections, Disconnecting, UnmatchedCompanies, WebhookTaken
from tools.openapi.operations import Operation, Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROVIDER = {"provider": "hubspot"}
_TAG = "CRM"

OPERATIONS: Mapping[str, Operation] = {
    "PUT /v1/crm/{provider}": Operation(
        id="connectCrm",
        tag=_TAG,
        summary="Connect a CRM",
        words=(
            f"Connects one of {', '.join(PROVIDERS)}, or changes the options of one that is connected; everything is "
            "read anew. An option that is left out has its default. Tokens are no options: they lie in AWS Secrets "
            "Manager."
        ),
        answer=CrmConnection,
        path=_PROVIDER,
        body="CrmOptions",
        example={"write_back": False, "renewal_property": "renewal_date"},
        errors=("not_found",),
    ),
    "GET /v1/crm": Operation(
        id="getCrms",
        tag=_TAG,
        summary="The connected CRMs",
        words="The CRMs that are connected, and how reading them goes.",
        answer=CrmConnections,
    ),
    "GET /v1/crm/unmatched": Operation(
        id="getUnmatched",
        tag=_TAG,
        summary="Companies that are no account",
        words="Companies of the CRM for which no account was found, with the reason and what to do about it.",
        answer=UnmatchedCompanies,
        query=(
            Query("provider", "The CRM; the first that is connected where it is left out.", {"type": "string"}),
            Query("limit", "How many companies to answer.", {"type": "integer", "minimum": 1, "maximum": 1000}, 100),
            Query("cursor", "The `cursor` of the answer before.", {"type": "string", "maxLength": 200}),
        ),
        errors=("not_found",),
    ),
    "DELETE /v1/crm/{provider}": Operation(
        id="disconnectCrm",
        tag=_TAG,
        summary="Disconnect a CRM",
        words="The next run takes back all that came from it: what is known from it only becomes unknown.",
        answer=Disconnecting,
        path=_PROVIDER,
        errors=("not_found",),
    ),
    "POST /v1/crm/{provider}/webhook": Operation(
        id="takeWebhook",
        tag=_TAG,
        summary="Take a webhook of a CRM",
        words=(
            "For the CRM itself: its signature stands for a key. What has changed is queued, and read a moment later. "
            "Up to 256 KiB."
        ),
        answer=WebhookTaken,
        path=_PROVIDER,
        body="Webhook",
        errors=("invalid_signature", "not_found", "storage_unavailable"),
        keyless=True,
    ),
}


def schemas() -> dict[str, Any]:
    """The schemas of what the routes take."""
    kinds = [provider.options for provider in PROVIDERS.values()]
    return {
        "CrmOptions": {
            "description": "The options of the CRM that the path names.",
            "anyOf": [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in kinds],
        },
        **{kind.__name__: _options(kind) for kind in kinds},
        "Webhook": {"description": "Whatever the CRM sends."},
    }


def _options(kind: type[Options]) -> dict[str, Any]:
    """The schema of a CRM's options: every one has a default, and the words that stand under it in the code."""
    schema: dict[str, Any] = TypeAdapter(kind).json_schema()
    words = {**dict(_attribute_words(Options)), **dict(_attribute_words(kind))}
    for name, option in schema["properties"].items():
        option.pop("title", None)
        if name in words:
            option["description"] = words[name]
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip(),
        "properties": schema["properties"],
        "additionalProperties": False,
    }


def _attribute_words(kind: type) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  (for the type checker)
    for field, words in zip(definition.body, definition.body[1:], strict=False):
        match field, words:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, text
