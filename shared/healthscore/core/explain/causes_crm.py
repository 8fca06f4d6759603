"""The causes of changes in the CRM component between two snapshots, as text (scoring rule 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.documents import crm_from_json
from healthscore.core.explain.why_crm import part_reason
from healthscore.core.model import Component
from healthscore.core.scoring.crm import COMMERCIAL, SUPPORT, CrmPart, CrmReason, CrmScore, crm_parts
from healthscore.core.scoring.standard import WEIGHTS_WITH_CRM
from healthscore.core.text import counted

if TYPE_CHECKING:
    from datetime import datetime

    from healthscore.core.model import CrmFacts, Snapshot


def came(now: Snapshot) -> str:
    """The cause where only the later snapshot has a CRM score."""
    provider = now.facts[Component.CRM].get("provider")
    source = f" from {provider}" if provider else ""
    return f"CRM facts came in{source} and count {WEIGHTS_WITH_CRM[Component.CRM]} % of the score now"


def went() -> str:
    """The cause where only the earlier snapshot has a CRM score."""
    return "nothing is known from the CRM any more, so it does not count"


def crm(then: Snapshot, now: Snapshot) -> str:
    """The changed parts of the CRM score, first those that moved in the direction of the whole score."""
    facts_then, facts_now = _facts(then), _facts(now)
    changes = _changes(then, now, facts_then, facts_now)
    return "; ".join(_part_cause(before, after, facts_then, facts_now, now.as_of) for before, after in changes)


def main_reason(then: Snapshot, now: Snapshot) -> CrmReason | None:
    """What the part of the CRM score shows that moved the whole score most; None where one of them has no CRM score."""
    if Component.CRM not in then.components or Component.CRM not in now.components:
        return None
    changes = _changes(then, now, _facts(then), _facts(now))
    return changes[0][1].reason if changes else None


def _facts(snapshot: Snapshot) -> CrmFacts:
    return crm_from_json(snapshot.facts[Component.CRM])


def _changes(then: Snapshot, now: Snapshot, facts_then: CrmFacts, facts_now: CrmFacts) -> list[tuple[CrmPart, CrmPart]]:
    """The parts that changed, before and after, first those that moved in the direction of the whole score."""
    score_then = CrmScore(then.components[Component.CRM], crm_parts(facts_then, then.as_of, then.day))
    score_now = CrmScore(now.components[Component.CRM], crm_parts(facts_now, now.as_of, now.day))
    sign = 1 if score_now.score > score_then.score else -1
    changes = [
        (sign * (score_now.contribution(after) - score_then.contribution(before)), before, after)
        for before, after in zip(score_then.parts, score_now.parts, strict=True)
        if before.score != after.score
    ]
    changes.sort(key=lambda change: -change[0])
    return [(before, after) for _, before, after in changes]


def _part_cause(before: CrmPart, after: CrmPart, facts_then: CrmFacts, facts_now: CrmFacts, as_of: datetime) -> str:
    reason = part_reason(after, facts_now, as_of)
    if after.score is None:
        return f"{after.name} is not known any more ({reason}), so the other parts count more"
    if before.score is None:
        return f"{after.name} is known now: {reason}"
    if after.name == SUPPORT:
        return _support_cause(before, after, facts_then, facts_now)
    rose = after.score > before.score
    if after.name == COMMERCIAL:
        return _deal_cause(before.reason, after.reason, reason)
    if rose:
        return f"new contact: {reason}"
    return f"{'no recent' if after.reason is CrmReason.NO_CONTACT else 'less'} contact: {reason}"


def _support_cause(before: CrmPart, after: CrmPart, facts_then: CrmFacts, facts_now: CrmFacts) -> str:
    old, new = facts_then.open_tickets or 0, facts_now.open_tickets or 0
    change = f"{old} → {counted(new, 'open ticket')}"
    if after.reason is CrmReason.HIGH_PRIORITY_TICKET:
        return f"a high-priority support ticket was opened ({change})"
    if before.reason is CrmReason.HIGH_PRIORITY_TICKET:
        return f"no high-priority support ticket is open any more ({change})"
    verb = "opened" if new > old else "closed"
    was = "was" if abs(new - old) == 1 else "were"
    return f"{counted(abs(new - old), 'support ticket')} {was} {verb} ({change})"


def _deal_cause(before: CrmReason, after: CrmReason, reason: str) -> str:
    if after is CrmReason.CHURNED:
        return "the account churned"
    if after is CrmReason.NO_DEAL:
        return "no deal is active any more"
    if before in (CrmReason.NO_DEAL, CrmReason.CHURNED):
        return f"a deal is active now: {reason}"
    change = "was updated" if after is CrmReason.FRESH_DEAL else "has gone stale"
    return f"the deal {change}: {reason}"
