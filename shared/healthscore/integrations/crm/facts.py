"""Turns a company's tickets, deals, meetings and emails into the facts that are scored (scoring rule 10).

Every connector turns its records into these values, so that the rules are here and not in the connectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from healthscore.core.contract import MAX_ARR
from healthscore.core.documents import CRM_FIELDS
from healthscore.core.model import CrmFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime


class _Unknown(Enum):
    """Neither a value nor none."""

    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
"""In the place of a value that the CRM does not say, or that cannot be read. It is not "none", "no" or 0."""
Unknown = Literal[_Unknown.UNKNOWN]

T = TypeVar("T", "date", "datetime")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A support ticket."""

    is_open: bool | Unknown
    high_priority: bool | Unknown


@dataclass(frozen=True, slots=True)
class Deal:
    """A sales opportunity; neither open nor won means lost."""

    is_open: bool | Unknown
    won: bool | Unknown
    updated_at: datetime | Unknown | None
    renewal_date: date | Unknown | None


@dataclass(frozen=True, slots=True)
class Records:
    """A CRM's records of one company. None means unknown: not part of the plan, not permitted, or not configured."""

    tickets: Sequence[Ticket] | None
    deals: Sequence[Deal] | None
    meetings: Sequence[datetime | Unknown] | None
    """Starts of meetings that were not cancelled."""
    emails: Sequence[datetime | Unknown] | None
    contacts: Sequence[datetime | Unknown] | None
    """Contacts of any kind."""
    churned: bool | Unknown | None
    arr: float | Unknown | None


def crm_facts(provider: str, records: Records, now: datetime) -> CrmFacts:
    """The facts of one company.

    Meetings, emails and contacts after `now` do not count. `deal_updated_at` is the latest change of an active deal. A
    deal is active where it is open, or won with a renewal that is not before the UTC day of `now`.

    What is unknown of one record hides nothing that others say: what is sure counts. Only where nothing is sure, and
    something unknown could change that, the fact is unknown. So a ticket that may or may not be open is not counted
    beside an open one, and alone it leaves the number of open tickets unknown.

    Args:
        provider: the CRM.
        records: the company's records.
        now: the instant at which reading them began, aware UTC.
    """
    found: dict[str, object] = {
        **_support(records.tickets),
        "last_meeting_at": _last(records.meetings, now),
        "last_email_at": _last(records.emails, now),
        "last_contact_at": _last(records.contacts, now),
        **_commercial(records.deals, now.date()),
        "churned": UNKNOWN if records.churned is None else records.churned,
    }
    known = {name: value for name, value in found.items() if value is not UNKNOWN}
    return CrmFacts(
        received_at=now,
        provider=provider,
        unknown=frozenset(found).difference(known),
        arr=None if records.arr is UNKNOWN else records.arr,
        **known,  # type: ignore[arg-type]
    )


def _support(tickets: Sequence[Ticket] | None) -> dict[str, object]:
    if tickets is None:
        return {"open_tickets": UNKNOWN, "high_priority_open": UNKNOWN}
    return {
        "open_tickets": _count(ticket.is_open for ticket in tickets),
        "high_priority_open": _count(_both(ticket.is_open, ticket.high_priority) for ticket in tickets),
    }


def _commercial(deals: Sequence[Deal] | None, today: date) -> dict[str, object]:
    if deals is None:
        return {"active_deal": UNKNOWN, "deal_updated_at": UNKNOWN, "renewal_date": UNKNOWN}
    activity = [(deal, _is_active(deal, today)) for deal in deals]
    active = [deal for deal, is_active in activity if is_active is True]
    perhaps = any(is_active is UNKNOWN for _, is_active in activity)
    updates = [deal.updated_at for deal in active] + [UNKNOWN] * perhaps
    return {
        "active_deal": UNKNOWN if perhaps and not active else any(deal.is_open is True for deal in active),
        "deal_updated_at": _latest(updates),
        "renewal_date": _latest(map(_renewal, deals)),
    }


def _is_active(deal: Deal, today: date) -> bool | Unknown:
    if deal.renewal_date is UNKNOWN:
        ahead: bool | Unknown = UNKNOWN
    else:
        ahead = deal.renewal_date is not None and deal.renewal_date >= today
    renews = _both(deal.won, ahead)
    if deal.is_open is True or renews is True:
        return True
    return UNKNOWN if UNKNOWN in (deal.is_open, renews) else False


def _renewal(deal: Deal) -> date | Unknown | None:
    if deal.won is True:
        return deal.renewal_date
    if deal.won is UNKNOWN:
        return None if deal.renewal_date is None else UNKNOWN
    # The renewal of an open deal does not count; but where somebody has entered one, "none" would be wrong.
    return UNKNOWN if deal.is_open is not False and deal.renewal_date is UNKNOWN else None


def _both(one: bool | Unknown, other: bool | Unknown) -> bool | Unknown:
    """Whether both hold: not where one surely does not, whatever the other is."""
    if one is False or other is False:
        return False
    return UNKNOWN if UNKNOWN in (one, other) else True


def _count(held: Iterable[bool | Unknown]) -> int | Unknown:
    """How many surely hold; unknown where none does and one may."""
    given = list(held)
    sure = sum(one is True for one in given)
    return UNKNOWN if not sure and UNKNOWN in given else sure


def _latest(given: Iterable[T | Unknown | None]) -> T | Unknown | None:
    """The latest that is known; unknown where none is and one may be."""
    values = [value for value in given if value is not None]
    known = [value for value in values if value is not UNKNOWN]
    return max(known) if known else UNKNOWN if values else None


def _last(instants: Sequence[datetime | Unknown] | None, now: datetime) -> datetime | Unknown | None:
    if instants is None:
        return UNKNOWN
    return _latest(at if at is UNKNOWN or at <= now else None for at in instants)


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
