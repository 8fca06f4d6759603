"""The CRM component of `standard-v1` (scoring rule 10): support 40 %, relationship 40 %, commercial 20 %.

What a CRM did not report is *unknown*, never "none": the score leaves an unknown part out, and the others share its
weight. Each part has the reason that decided its score, so that explanations need not decide again.
`integrations/crm/facts.py` makes the facts from tickets, deals, meetings and emails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.rounding import round_half_up

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.model import CrmFacts

SUPPORT, RELATIONSHIP, COMMERCIAL = "support", "relationship", "commercial"
PART_WEIGHTS = {SUPPORT: 40, RELATIONSHIP: 40, COMMERCIAL: 20}
"""The parts in the order of answers, with their weights in percent of the CRM score."""

FEW_TICKETS = 2
"""Up to this many open tickets score 60, more score 20."""
MEETING_WINDOW = timedelta(days=14)
EMAIL_WINDOW = timedelta(days=7)
CONTACT_WINDOW = timedelta(days=30)
DEAL_WINDOW = timedelta(days=30)

CONTACT_FIELDS = ("last_meeting_at", "last_email_at", "last_contact_at")


class CrmReason(StrEnum):
    """What decided the score of a part."""

    UNKNOWN = "unknown"
    HIGH_PRIORITY_TICKET = "high_priority_ticket"
    NO_TICKETS = "no_tickets"
    FEW_TICKETS = "few_tickets"
    MANY_TICKETS = "many_tickets"
    MEETING = "meeting"
    EMAIL = "email"
    CONTACT = "contact"
    NO_CONTACT = "no_contact"
    FRESH_DEAL = "fresh_deal"
    STALE_DEAL = "stale_deal"
    NO_DEAL = "no_deal"
    CHURNED = "churned"


REASON_SCORES = {
    CrmReason.HIGH_PRIORITY_TICKET: 0,
    CrmReason.NO_TICKETS: 100,
    CrmReason.FEW_TICKETS: 60,
    CrmReason.MANY_TICKETS: 20,
    CrmReason.MEETING: 100,
    CrmReason.EMAIL: 80,
    CrmReason.CONTACT: 50,
    CrmReason.NO_CONTACT: 0,
    CrmReason.FRESH_DEAL: 100,
    CrmReason.STALE_DEAL: 50,
    CrmReason.NO_DEAL: 0,
    CrmReason.CHURNED: 0,
}


@dataclass(frozen=True, slots=True)
class CrmPart:
    """One part of the CRM score."""

    name: str
    weight: int
    """Percent of the CRM score while every part is known."""
    reason: CrmReason
    score: int | None
    """0 to 100; None while the part is unknown."""


@dataclass(frozen=True, slots=True)
class CrmScore:
    """The CRM component and the parts it was computed from, at least one of them known."""

    score: int
    parts: tuple[CrmPart, ...]

    @property
    def known_weight(self) -> int:
        """Sum of the known parts' weights: 100 unless something is unknown."""
        return sum(part.weight for part in self.parts if part.score is not None)

    def effective_weight(self, part: CrmPart) -> Fraction:
        """The part's percentage of the CRM score after the unknown parts are left out."""
        return Fraction(0) if part.score is None else Fraction(100 * part.weight, self.known_weight)

    def contribution(self, part: CrmPart) -> Fraction:
        """Points of the CRM score that come from the part."""
        return self.effective_weight(part) * (part.score or 0) / 100


def crm(facts: CrmFacts, as_of: datetime, as_of_day: date) -> CrmScore | None:
    """Score CRM facts (scoring rule 10).

    Args:
        facts: the CRM facts, received at or before `as_of`.
        as_of: the instant to score, aware UTC. A meeting, email, contact or deal update after it does not count.
        as_of_day: the workspace's calendar day of `as_of`. A renewal date on it or later lies ahead.

    Returns:
        The score with its parts, or None if no part is known: the account is then scored without CRM.
    """
    parts = crm_parts(facts, as_of, as_of_day)
    known = [(part.weight, part.score) for part in parts if part.score is not None]
    if not known:
        return None
    weighted = Fraction(sum(weight * score for weight, score in known), sum(weight for weight, _ in known))
    return CrmScore(score=round_half_up(weighted), parts=parts)


def crm_parts(facts: CrmFacts, as_of: datetime, as_of_day: date) -> tuple[CrmPart, ...]:
    """Support, relationship and commercial, each with its score or unknown; arguments as for `crm`."""
    reasons = {
        SUPPORT: _support(facts),
        RELATIONSHIP: _relationship(facts, as_of),
        COMMERCIAL: _commercial(facts, as_of, as_of_day),
    }
    return tuple(
        CrmPart(name=name, weight=PART_WEIGHTS[name], reason=reason, score=REASON_SCORES.get(reason))
        for name, reason in reasons.items()
    )


def within(at: datetime | None, window: timedelta, as_of: datetime) -> bool:
    """Whether an instant lies in the window that ends at `as_of`, both ends included."""
    return at is not None and timedelta(0) <= as_of - at <= window


def _support(facts: CrmFacts) -> CrmReason:
    if "open_tickets" in facts.unknown:
        return CrmReason.UNKNOWN
    if facts.high_priority_open:
        return CrmReason.HIGH_PRIORITY_TICKET
    return ticket_reason(facts.open_tickets or 0)


def ticket_reason(open_tickets: int) -> CrmReason:
    """The tier of a number of open tickets, none of them of high priority."""
    if open_tickets == 0:
        return CrmReason.NO_TICKETS
    return CrmReason.FEW_TICKETS if open_tickets <= FEW_TICKETS else CrmReason.MANY_TICKETS


def _relationship(facts: CrmFacts, as_of: datetime) -> CrmReason:
    if facts.unknown.issuperset(CONTACT_FIELDS):
        return CrmReason.UNKNOWN
    if within(facts.last_meeting_at, MEETING_WINDOW, as_of):
        return CrmReason.MEETING
    if within(facts.last_email_at, EMAIL_WINDOW, as_of):
        return CrmReason.EMAIL
    contacts = (facts.last_meeting_at, facts.last_email_at, facts.last_contact_at)
    if any(within(at, CONTACT_WINDOW, as_of) for at in contacts):
        return CrmReason.CONTACT
    return CrmReason.NO_CONTACT


def _commercial(facts: CrmFacts, as_of: datetime, as_of_day: date) -> CrmReason:
    if facts.churned:
        return CrmReason.CHURNED
    if facts.unknown.issuperset(("active_deal", "churned")):
        return CrmReason.UNKNOWN
    renewal_ahead = facts.renewal_date is not None and facts.renewal_date >= as_of_day
    if facts.active_deal or renewal_ahead:
        return CrmReason.FRESH_DEAL if within(facts.deal_updated_at, DEAL_WINDOW, as_of) else CrmReason.STALE_DEAL
    # "Not churned" alone does not mean that there is no deal, so it does not score 0.
    return CrmReason.UNKNOWN if "active_deal" in facts.unknown else CrmReason.NO_DEAL
