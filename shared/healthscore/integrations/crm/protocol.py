"""The protocol of CRM connectors, and the values that they take and give.

A connector reads companies with their facts, page by page, and writes scores back. It stores nothing: its position is a
cursor of JSON values, which the caller stores after each page, so that a run that crashed continues there. It does not
know accounts: `healthscore.integrations.crm.mapping` decides which account a company is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from healthscore.core.model import CrmFacts
    from healthscore.integrations.crm.facts import Unknown

COMPANIES = "companies"
"""The kind of a company's `Change`, for every connector."""
Cursor = dict[str, Any]
"""The position of a run, as JSON values that only the connector reads."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value, or a whole record, that could not be read."""

    kind: str
    """The kind of record, as the connector calls it."""
    record_id: str
    """Empty where not even the id could be read."""
    field: str = ""
    """Empty where the whole record was set aside."""


@dataclass(frozen=True, slots=True)
class Company:
    """One company record of a CRM."""

    company_id: str
    name: str
    domains: tuple[str, ...]
    """As in the CRM; `mapping.domain` makes them comparable."""
    account_id: str | Unknown | None
    """The account id that a user has entered in the property `account_property`. Unknown where it cannot be read."""
    facts: CrmFacts
    """`received_at` is the instant at which reading them began: a reading that began later is at least as new."""
    says_account_id: bool = True
    """False where the CRM has no such property, or the token may not read it: then "no id was entered" is not known."""
    says_domains: bool = True
    """False where the company may have domains that could not be read."""
    merged_ids: tuple[str, ...] = ()
    """Ids of companies that were merged into this one, where the CRM says so."""
    rests_on: tuple[str, ...] = ()
    """Ids of the records that the facts rest on. Where one of them is deleted, this company has to be read again."""
    unreadable: tuple[Unreadable, ...] = ()
    """What could not be read of this company and its records."""
    missing: frozenset[str] = frozenset()
    """Properties and kinds of records that the CRM does not have, or that the token may not read."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record that a webhook or a search for changes names."""

    kind: str
    """The type of record, as the connector calls it."""
    record_id: str
    field: str = ""
    """The field that changed, as the connector calls it, where a webhook names it."""
    gone: bool = False
    """Whether it was deleted, or merged into another one: the CRM no longer says to which company it belonged."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some companies as they are now, and the cursor after them."""

    companies: Sequence[Company]
    cursor: Cursor
    done: bool
    """Whether this is the last page of the run; the next run then starts from its cursor."""
    gone: Sequence[str] = ()
    """Ids of companies that the CRM does not have any more, as far as it says so by itself."""
    deleted: Sequence[Change] = ()
    """Other records that it does not have any more, as far as the CRM says so by itself."""
    set_aside: Sequence[Unreadable] = ()
    """Records that could not be read, and that belong to no company of the page."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The companies of named records."""

    companies: Sequence[Company]
    gone: Sequence[str]
    """Ids of companies that the CRM does not have any more."""
    without_company: Sequence[Change]
    """Records that belong to no company, perhaps not yet: a CRM may send a record before its associations."""
    set_aside: Sequence[Unreadable] = ()
    """Records that could not be read."""


@dataclass(frozen=True, slots=True)
class CompanyScore:
    """A score to be written to a company's record."""

    company_id: str
    score: int
    band: str
    reason: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How CRMs differ."""

    incremental: bool
    """Whether the CRM can be asked what changed; where not, every run reads everything."""
    full_every: timedelta
    """How often everything is read."""
    repeat_header: str | None
    """The header that is the same on each delivery of one webhook; None where the CRM sends no such header."""


class Connector(Protocol):
    """A CRM, with the workspace's options and token."""

    capabilities: Capabilities

    def full(self, cursor: Cursor | None) -> Iterator[Page]:
        """Every company with its facts, from the cursor of an unfinished full run, or from the start (None).

        Raises:
            CrmError: the CRM does not answer as it should; the pages before are valid.
        """

    def changes(self, cursor: Cursor) -> Iterator[Page]:
        """The companies that changed, with their records, since the cursor of the last finished run.

        Raises:
            CrmError: the CRM does not answer as it should; the pages before are valid.
        """

    def refresh(self, changes: Sequence[Change]) -> Refreshed:
        """The companies that these records are, or belong to, as they are now.

        Raises:
            CrmError: the CRM does not answer as it should.
        """

    def write_back(self, scores: Sequence[CompanyScore]) -> set[str]:
        """Write scores to company records.

        Returns:
            The ids of the companies that were written. A company that the CRM refuses stops no other.

        Raises:
            CrmError: the CRM does not answer as it should.
        """

    def create_properties(self) -> list[str]:
        """Create the properties that `write_back` writes to and that are missing, and return their names.

        Raises:
            CrmError: the CRM does not answer as it should.
        """


class Webhooks(Protocol):
    """How a CRM's webhooks are verified and parsed; needs no token."""

    def verify(self, request: WebhookRequest, secret: str, now: datetime) -> bool:
        """Whether the request is signed with the secret, and recent where the signature includes a time."""

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
    """The full URL that the CRM calls, from the options: the gateway may have decoded the path of the request."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class CrmError(Exception):
    """A CRM does not answer as it should; the message says what to do, and holds nothing of a record."""


class QuotaError(CrmError):
    """The CRM's daily limit is used up, or the run's time is; the next run continues at the cursor."""


class AccessError(CrmError):
    """The CRM refuses the token, or the token lacks a permission."""
