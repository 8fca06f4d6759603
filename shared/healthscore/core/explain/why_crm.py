"""Explains the CRM score: each part with its score, its weight and its reason (scoring rules 10, 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.documents import crm_to_json
from healthscore.core.explain.why import Explanation, NextTier
from healthscore.core.rounding import decimal_number, round_half_up
from healthscore.core.scoring.crm import (
    COMMERCIAL,
    CONTACT_FIELDS,
    CONTACT_WINDOW,
    DEAL_WINDOW,
    EMAIL_WINDOW,
    FEW_TICKETS,
    MEETING_WINDOW,
    REASON_SCORES,
    SUPPORT,
    CrmPart,
    CrmReason,
    CrmScore,
    ticket_reason,
)
from healthscore.core.scoring.standard import FULL_SCORE
from healthscore.core.text import counted, elapsed, listed, moment, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.core.model import CrmFacts

_CONTACT_WINDOWS = {
    CrmReason.MEETING: MEETING_WINDOW,
    CrmReason.EMAIL: EMAIL_WINDOW,
    CrmReason.CONTACT: CONTACT_WINDOW,
}
_DECIDING_FIELDS = {CrmReason.MEETING: ("last_meeting_at",), CrmReason.EMAIL: ("last_email_at",)}
_CONTACT_WORDS = {"last_meeting_at": "meeting", "last_email_at": "email", "last_contact_at": "contact"}
_TIPS = {
    CrmReason.HIGH_PRIORITY_TICKET: "Get the high-priority ticket solved, and tell the account in person when it is.",
    CrmReason.FEW_TICKETS: "Chase the open tickets: each one answered is a reason for the account to trust you.",
    CrmReason.MANY_TICKETS: "Tickets pile up: go through them with support and agree on what gets solved first.",
    CrmReason.EMAIL: "Email is kept up; a meeting would tell you more.",
    CrmReason.CONTACT: "Contact has become rare: book a meeting within the next two weeks.",
    CrmReason.NO_CONTACT: "Nobody has spoken to the account for a month: call today and book a meeting.",
    CrmReason.STALE_DEAL: "The deal has not moved for a month: bring its stage up to date, or ask where it stands.",
    CrmReason.NO_DEAL: "There is no deal to renew or expand: agree with sales on the next step.",
    CrmReason.CHURNED: "The account has churned: learn why, and decide whether to win it back.",
}


def explain_crm(crm_score: CrmScore, facts: CrmFacts, as_of: datetime) -> Explanation:
    """Explain the score of CRM (scoring rule 10).

    Args:
        crm_score: the score of `facts` as of `as_of`.
        facts: the CRM facts.
        as_of: the instant that was scored, aware UTC.
    """
    reasons = {part.name: part_reason(part, facts, as_of) for part in crm_score.parts}
    weakest = _weakest(crm_score)
    return Explanation(
        facts=crm_to_json(facts),
        reason=sentence("; ".join(_part_words(part, reasons[part.name]) for part in crm_score.parts)),
        next_tier=_next_tier(crm_score, weakest, facts) if weakest else None,
        tip=_TIPS[weakest.reason] if weakest else "All is well in the CRM: keep it up to date.",
        details={
            "parts": {
                part.name: {
                    "score": part.score,
                    "weight": part.weight,
                    "effective_weight": decimal_number(crm_score.effective_weight(part)),
                    "known": part.score is not None,
                    "why": reasons[part.name],
                }
                for part in crm_score.parts
            }
        },
    )


def _part_words(part: CrmPart, reason: str) -> str:
    return f"{part.name} {'unknown' if part.score is None else part.score} ({reason})"


def _weakest(crm_score: CrmScore) -> CrmPart | None:
    """The known part that costs the most points, the first of equals; None if every known part is at 100."""
    known = [(part.weight * (FULL_SCORE - part.score), part) for part in crm_score.parts if part.score is not None]
    cost, weakest = max(known, key=lambda entry: entry[0])
    return weakest if cost else None


def part_reason(part: CrmPart, facts: CrmFacts, as_of: datetime) -> str:
    """The reason for a part's score, as text for use in brackets."""
    if part.name == SUPPORT:
        return _support_reason(part.reason, facts)
    if part.name == COMMERCIAL:
        return _commercial_reason(part.reason, facts, as_of)
    return _relationship_reason(part.reason, facts, as_of)


def _support_reason(reason: CrmReason, facts: CrmFacts) -> str:
    if reason is CrmReason.UNKNOWN:
        return "open_tickets was not reported"
    if reason is CrmReason.HIGH_PRIORITY_TICKET:
        return f"{counted(facts.high_priority_open or 0, 'high-priority ticket')} open"
    if reason is CrmReason.NO_TICKETS:
        return "no open ticket"
    priority = "priorities not reported" if "high_priority_open" in facts.unknown else "none of high priority"
    return f"{counted(facts.open_tickets or 0, 'open ticket')}, {priority}"


def _relationship_reason(reason: CrmReason, facts: CrmFacts, as_of: datetime) -> str:
    if reason is CrmReason.UNKNOWN:
        return "no date of a meeting, email or other contact was reported"
    last = last_contact(facts, as_of, _DECIDING_FIELDS.get(reason, CONTACT_FIELDS))
    unreported = [_CONTACT_WORDS[name] for name in CONTACT_FIELDS if name in facts.unknown]
    remark = f"; last {listed(unreported)} not reported" if unreported and reason is not CrmReason.MEETING else ""
    if last is None:
        return f"no contact known{remark}"
    kind, at = last
    if reason is CrmReason.NO_CONTACT:
        return f"no contact in {CONTACT_WINDOW.days} days, last {kind} {ago(at, as_of)}{remark}"
    return f"last {kind} {ago(at, as_of)}, within {_CONTACT_WINDOWS[reason].days} days{remark}"


def last_contact(facts: CrmFacts, as_of: datetime, fields: Sequence[str]) -> tuple[str, datetime] | None:
    """The latest of these contact dates up to `as_of`, with the name of its kind; None if there is none."""
    contacts = [(_CONTACT_WORDS[name], getattr(facts, name)) for name in fields]
    past = [(kind, at) for kind, at in contacts if at is not None and at <= as_of]
    return max(past, key=lambda contact: contact[1], default=None)


def _commercial_reason(reason: CrmReason, facts: CrmFacts, as_of: datetime) -> str:
    if reason is CrmReason.UNKNOWN:
        churned = "churned" in facts.unknown
        return "no deal was reported" if churned else "not churned, but active_deal was not reported"
    if reason is CrmReason.CHURNED:
        return "churned"
    if reason is CrmReason.NO_DEAL:
        return "no active deal" if facts.renewal_date is None else f"no active deal, renewal was {facts.renewal_date}"
    deal = "active deal" if facts.active_deal else f"won deal with its renewal ahead on {facts.renewal_date}"
    updated = facts.deal_updated_at
    if updated is None or updated > as_of:
        return f"{deal}, date of its last update not known"
    if reason is CrmReason.FRESH_DEAL:
        return f"{deal}, updated {ago(updated, as_of)}, within {DEAL_WINDOW.days} days"
    return f"{deal}, last updated {ago(updated, as_of)}, stale after {DEAL_WINDOW.days} days"


def ago(at: datetime, as_of: datetime) -> str:
    """How long before `as_of` an instant is, and the instant: "3 days ago on 2026-11-12 22:10 UTC"."""
    return f"{elapsed(as_of - at)} ago on {moment(at)}"


def _next_tier(crm_score: CrmScore, part: CrmPart, facts: CrmFacts) -> NextTier:
    reason, distance, unit, words = _improvement(part, facts)
    rest = sum(crm_score.contribution(other) for other in crm_score.parts if other is not part)
    score = round_half_up(rest + crm_score.effective_weight(part) * REASON_SCORES[reason] / 100)
    text = f"{words} would bring {part.name} to {REASON_SCORES[reason]} and CRM health to {score}."
    return NextTier(score=score, distance=distance, unit=unit, text=text)


def _improvement(part: CrmPart, facts: CrmFacts) -> tuple[CrmReason, int, str, str]:
    """The part's next better reason, the distance to it, the unit, and the step as text."""
    tickets = facts.open_tickets or 0
    if part.reason is CrmReason.HIGH_PRIORITY_TICKET:
        urgent = facts.high_priority_open or 0
        words = f"Closing {counted(urgent, 'high-priority ticket')}"
        return ticket_reason(max(tickets - urgent, 0)), urgent, "tickets", words
    if part.reason is CrmReason.MANY_TICKETS:
        excess = tickets - FEW_TICKETS
        return CrmReason.FEW_TICKETS, excess, "tickets", f"Closing {counted(excess, 'ticket')}"
    if part.reason is CrmReason.FEW_TICKETS:
        return CrmReason.NO_TICKETS, tickets, "tickets", f"Closing {counted(tickets, 'open ticket')}"
    if part.reason is CrmReason.STALE_DEAL:
        return CrmReason.FRESH_DEAL, 1, "deal updates", "1 update of the deal"
    if part.name == COMMERCIAL:
        return CrmReason.FRESH_DEAL, 1, "active deals", "1 active deal"
    return CrmReason.MEETING, 1, "meetings", "1 meeting"
