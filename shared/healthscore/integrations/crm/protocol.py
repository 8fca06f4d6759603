"""What a CRM connector is, and the values it speaks in.

A connector reads companies with their facts, page by page, and writes scores back. It keeps nothing: where it stands is
a cursor of plain JSON values that the caller stores after each page, so that a run that dies goes on where it was. It
knows nothing of accounts either: which account a company is, is decided by `healthscore.integrations.crm.mapping`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from healthscore.core.model import CrmFacts

Cursor = dict[str, Any]
"""Where a run stands, as JSON values that only the connector reads."""


@dataclass(frozen=True, slots=True)
class Company:
    """One company record of a CRM."""

    company_id: str
    name: str
    domains: tuple[str, ...]
    """As the CRM has them; `mapping.domain` makes them comparable."""
    account_id: str | None
    """The account that somebody has entered by hand in the configured property."""
    facts: CrmFacts
    """Received at the instant at which reading them was begun: whatever was begun later, knows as much or more."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record that a webhook, or a search for changes, names."""

    kind: str
    """The connector's own word for the type of record."""
    record_id: str
    field: str = ""
    """What of it changed, in the connector's own word, where a webhook says so."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some companies as they are now, and where to go on from."""

    companies: Sequence[Company]
    cursor: Cursor
    done: bool
    """Whether the run is complete with this page; the cursor is then what the next run starts from."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of named records."""

    companies: Sequence[Company]
    gone: Sequence[str]
    """Ids of companies that are no longer there."""
    loose: Sequence[Change]
    """Records that belong to no company, perhaps not yet: a CRM may tell of a record before its associations."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A score to be written to a company's record."""

    company_id: str
    score: int
    band: str
    reason: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a CRM can do, where they differ."""

    incremental: bool
    """Whether changes can be searched for; where not, every run reads everything."""
    full_every: timedelta
    """How often everything is read."""
    repeat_header: str | None
    """The header that is the same on each delivery of a webhook; None where a repeat cannot be told by a header."""


class Connector(Protocol):
    """A CRM, connected with the workspace's configuration and token."""

    capabilities: Capabilities

    def full(self, cursor: Cursor | None) -> Iterator[Page]:
        """Every company with its facts, going on from the cursor of an unfinished full run, or from the start.

        Raises:
            CrmError: the CRM does not answer as it should; what was yielded before stands.
        """

    def changes(self, cursor: Cursor) -> Iterator[Page]:
        """The companies that something has changed of since the cursor of the last finished run.

        Raises:
            CrmError: the CRM does not answer as it should; what was yielded before stands.
        """

    def refresh(self, changes: Sequence[Change]) -> Refreshed:
        """The companies that these records are or belong to, as they are now.

        Raises:
            CrmError: the CRM does not answer as it should.
        """

    def write_back(self, standings: Sequence[Standing]) -> set[str]:
        """Write scores to company records.

        Returns:
            The ids of the companies that were written; one that was refused stops no other.

        Raises:
            CrmError: the CRM does not answer as it should.
        """

    def create_properties(self) -> list[str]:
        """Create what `write_back` writes to, where it is missing; answers the names that were created."""


class Webhooks(Protocol):
    """How a CRM's webhooks are told from a stranger's, and read; needs no token."""

    def verify(self, request: WebhookRequest, secret: str, now: datetime) -> bool:
        """Whether the request was signed with the secret, and within the last minutes where the CRM says when."""

    def parse(self, body: bytes) -> list[Change]:
        """The records that a verified webhook names, each once.

        Raises:
            ValueError: the body is not what this CRM sends.
        """


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A webhook as it arrived."""

    method: str
    url: str
    """The URL that the CRM was told to call, in full: the path that arrives here may have been decoded on the way."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class CrmError(Exception):
    """A CRM does not answer as it should; the message says in words what to do about it, and quotes no contents."""


class QuotaError(CrmError):
    """The CRM's daily limit is used up, or time is: the cursor is kept, and the next run goes on."""


class AccessError(CrmError):
    """The CRM refuses the token, or the token lacks a permission."""
