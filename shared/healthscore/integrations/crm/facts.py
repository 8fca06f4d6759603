"""From a company's tickets, deals, meetings and emails to the facts that are scored (scoring rule 10).

Every connector brings its records into these few values; what they mean for the score is decided here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.book import MAX_ARR
from healthscore.core.documents import CRM_FIELDS
from healthscore.core.model import CrmFacts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """A support ticket."""

    is_open: bool
    high_priority: bool


@dataclass(frozen=True, slots=True)
class Deal:
    """A sales opportunity; neither open nor won means lost."""

    is_open: bool
    won: bool
    updated_at: datetime | None
    renewal_date: date | None


@dataclass(frozen=True, slots=True)
class Records:
    """What a CRM knows of one company. None anywhere: not known, because it is not licensed, allowed or configured."""

    tickets: Sequence[Ticket] | None
    deals: Sequence[Deal] | None
    meetings: Sequence[datetime] | None
    """Starts of meetings that were not cancelled."""
    emails: Sequence[datetime] | None
    contacts: Sequence[datetime] | None
    """Contacts of any kind."""
    churned: bool | None
    arr: float | None


def crm_facts(provider: str, records: Records, now: datetime) -> CrmFacts:
    """The facts of one company as of now.

    A meeting or email that lies ahead has not happened. The update that counts is that of a deal which is active: open,
    or won with its renewal ahead.
    """
    unknown: set[str] = set()
    said: dict[str, object] = {"provider": provider}

    def say(known: object, **fields: object) -> None:
        if known is None:
            unknown.update(fields)
        else:
            said.update(fields)

    tickets = [ticket for ticket in records.tickets or () if ticket.is_open]
    say(
        records.tickets,
        open_tickets=len(tickets),
        high_priority_open=sum(ticket.high_priority for ticket in tickets),
    )
    say(records.meetings, last_meeting_at=_last(records.meetings, now))
    say(records.emails, last_email_at=_last(records.emails, now))
    say(records.contacts, last_contact_at=_last(records.contacts, now))
    deals = records.deals or ()
    renewals = [deal.renewal_date for deal in deals if deal.won and deal.renewal_date]
    active = [
        deal
        for deal in deals
        if deal.is_open or (deal.won and deal.renewal_date is not None and deal.renewal_date >= now.date())
    ]
    updates = [deal.updated_at for deal in active if deal.updated_at]
    say(
        records.deals,
        active_deal=any(deal.is_open for deal in deals),
        deal_updated_at=max(updates, default=None),
        renewal_date=max(renewals, default=None),
    )
    say(records.churned, churned=records.churned)
    return CrmFacts(received_at=now, unknown=frozenset(unknown), arr=records.arr, **said)  # type: ignore[arg-type]


def revenue(given: object) -> float | None:
    """Annual recurring revenue as a CRM's field holds it; None where that is no amount, or one that cannot be."""
    try:
        amount = float(str(given))
    except ValueError:
        return None
    return amount if 0 <= amount <= MAX_ARR else None


def nothing_known(provider: str, now: datetime) -> CrmFacts:
    """What is said of an account whose company is gone or no longer told apart: nothing, which is not "none"."""
    return CrmFacts(received_at=now, provider=provider, unknown=frozenset(CRM_FIELDS) - {"provider"})


def _last(instants: Sequence[datetime] | None, now: datetime) -> datetime | None:
    return max((at for at in instants or () if at <= now), default=None)
