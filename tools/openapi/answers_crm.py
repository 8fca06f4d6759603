"""What answers about connected CRMs hold. Used to describe them and to check them, never to make them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from tools.openapi.answer_types import EXACTLY, Count, Instant


@with_config(EXACTLY)
class CrmCounts(TypedDict):
    """How many companies there are, and of how many the account is known."""

    companies: Count
    matched: Count
    unmatched: Count


@with_config(EXACTLY)
class CrmConnection(TypedDict):
    """A connected CRM, and how reading it goes."""

    provider: str
    options: Annotated[dict[str, Any], Field(description="Every option, those that were not chosen with defaults.")]
    connected_at: Instant
    state: Literal["to be read", "reading everything", "reading what changed", "up to date", "disconnecting"]
    pages_read: Annotated[Count, Field(description="Of the run that is under way; 0 where none is.")]
    last_run: Instant | None
    last_success: Annotated[Instant | None, Field(description="When it was last read to the end.")]
    last_full: Annotated[Instant | None, Field(description="When everything was last read, not only what changed.")]
    lag_seconds: Annotated[int | None, Field(description="How long ago `last_success` was.")]
    counts: CrmCounts | None
    error: Annotated[str | None, Field(description="What went wrong in the last run, in words.")]


@with_config(EXACTLY)
class CrmConnections(TypedDict):
    """The connected CRMs."""

    connections: list[CrmConnection]


@with_config(EXACTLY)
class Disconnecting(TypedDict):
    """Disconnecting has begun."""

    success: Literal[True]
    state: Literal["disconnecting"]


@with_config(EXACTLY)
class UnmatchedCompany(TypedDict):
    """A company that is no account."""

    company_id: str
    name: str | None
    domains: list[str]
    reason: Literal[
        "no_domain", "free_mail", "no_account", "account_unknown", "several_accounts", "same_domain", "same_account"
    ]
    what_to_do: str


@with_config(EXACTLY)
class UnmatchedCompanies(TypedDict):
    """A page of companies that are no account."""

    provider: str
    unmatched: list[UnmatchedCompany]
    cursor: Annotated[str | None, Field(description="For the next page; null on the last.")]


@with_config(EXACTLY)
class WebhookTaken(TypedDict):
    """A webhook was taken."""

    success: Literal[True]
    queued: Annotated[Count, Field(description="Changes that will be read.")]
