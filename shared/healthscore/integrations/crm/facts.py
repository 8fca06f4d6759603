"""Turns a company's tickets, deals, meetings and emails into the facts that are scored (scoring rule 10).

Every connector turns its records into these values, so that the rules are here and not in the connectors.
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
    """A CRM's records of one company. None means unknown: not part of the plan, not permitted, or not configured."""

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
    """The facts of one company.

    Meetings, emails and contacts after `now` do not count. `deal_updated_at` is the latest change of an active deal. A
    deal is active where it is open, or won with a renewal that is not before the UTC day of `now`.

    Args:
        provider: the CRM.
        records: the company's records.
        now: the instant at which reading them began, aware UTC.
    """
    unknown: set[str] = set()
    known: dict[str, object] = {"provider": provider}

    def add(records_of_a_kind: object, **fields: object) -> None:
        if records_of_a_kind is None:
            unknown.update(fields)
        else:
            known.update(fields)

    tickets = [ticket for ticket in records.tickets or () if ticket.is_open]
    add(
        records.tickets,
        open_tickets=len(tickets),
        high_priority_open=sum(ticket.high_priority for ticket in tickets),
    )
    add(records.meetings, last_meeting_at=_last(records.meetings, now))
    add(records.emails, last_email_at=_last(records.emails, now))
    add(records.contacts, last_contact_at=_last(records.contacts, now))
    deals = records.deals or ()
    renewals = [deal.renewal_date for deal in deals if deal.won and deal.renewal_date]
    active = [
        deal
        for deal in deals
        if deal.is_open or (deal.won and deal.renewal_date is not None and deal.renewal_date >= now.date())
    ]
    updates = [deal.updated_at for deal in active if deal.updated_at]
    add(
        records.deals,
        active_deal=any(deal.is_open for deal in deals),
        deal_updated_at=max(updates, default=None),
        renewal_date=max(renewals, default=None),
    )
    add(records.churned, churned=records.churned)
    return CrmFacts(received_at=now, unknown=frozenset(unknown), arr=records.arr, **known)  # type: ignore[arg-type]


def revenue(given: object) -> float | None:
    """Annual recurring revenue from a CRM's field; None where that is no number from 0 to `MAX_ARR`."""
    try:
        amount = float(str(given))
    except ValueError:
        return None
    return amount if 0 <= amount <= MAX_ARR else None


def nothing_known(provider: str, now: datetime) -> CrmFacts:
    """The facts of an account that no company belongs to: all unknown, which is not the same as "none"."""
    return CrmFacts(received_at=now, provider=provider, unknown=frozenset(CRM_FIELDS) - {"provider"})


def _last(instants: Sequence[datetime] | None, now: datetime) -> datetime | None:
    return max((at for at in instants or () if at <= now), default=None)
