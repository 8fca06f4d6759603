"""The health of one account: the entry point of scoring and explaining.

`assess` computes a score and its explanation from facts, `document` makes the JSON of the health answer, and `snapshot`
takes the part that later scores are compared with. The same facts give the same answer, bit for bit
(scoring rule 15): nothing here reads a clock, the environment or an unordered collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from healthscore.core.explain.advice import biggest_opportunity, lift, recommended_action
from healthscore.core.explain.disagreement import disagreement
from healthscore.core.explain.drivers import Driver, drivers
from healthscore.core.explain.why import Explanation, explain_activity, explain_milestones, explain_recency
from healthscore.core.explain.why_crm import explain_crm
from healthscore.core.explain.why_engagement import explain_engagement
from healthscore.core.model import Band, Component, DailyScore, Risk, Snapshot
from healthscore.core.scoring.crm import crm_parts
from healthscore.core.scoring.standard import MODEL, WINDOW_DAYS, StandardScore, standard_score
from healthscore.core.scoring.trend import Trends, trends
from healthscore.core.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthscore.core.health_document import (
        ComparedWith,
        ComponentDocuments,
        Coverage,
        CrmPartsKnown,
        CrmState,
        HealthDocument,
        Opportunity,
        RiskDocument,
    )
    from healthscore.core.model import Facts

RECENT_DAYS = 30
"""Days of nightly scores in the health answer."""


STALE_AFTER = timedelta(hours=48)
"""CRM facts are shown as stale when the last complete read of the CRM is older than this; they still score."""


@dataclass(frozen=True, slots=True)
class Health:
    """An account's score as of an instant, with its explanation."""

    account_id: str
    facts: Facts
    score: StandardScore
    trends: Trends
    explanations: Mapping[Component, Explanation]
    """One for each component of the score."""
    biggest_opportunity: Component | None
    """The component to work on first; None if every component is at 100."""
    recommended_action: str
    drivers: tuple[Driver, ...]
    """What moved the score since `previous`, largest first."""
    previous: Snapshot | None
    """The snapshot with which the drivers compare."""
    recent: tuple[DailyScore, ...]
    """Nightly scores of the 30 days before the as-of day, oldest first."""
    risk: Risk | None = None
    """The risk, as the newest night before has left it."""


def assess(
    account_id: str,
    facts: Facts,
    recent: Sequence[DailyScore],
    previous: Snapshot | None,
    known: Snapshot | None = None,
    *,
    risk: Risk | None = None,
) -> Health:
    """Score an account and explain the score (all scoring rules).

    Args:
        account_id: the account.
        facts: what the account did up to `facts.as_of`.
        recent: nightly scores, oldest first, at most one a day; further ones than needed do no harm.
        previous: a snapshot taken before `facts.as_of`, against which the score is explained, if there is one.
        known: the same instant as `previous`, of what is known now; None where nothing has come in late since.
        risk: the risk, as the newest night before `facts.as_of` has left it.
    """
    score = standard_score(facts)
    explanations = _explanations(score, facts)
    now = _snapshot(facts, score, explanations)
    first_day = facts.as_of_day - timedelta(days=RECENT_DAYS)
    opportunity = biggest_opportunity(score)
    return Health(
        account_id=account_id,
        facts=facts,
        score=score,
        trends=trends(now.daily, recent),
        explanations=explanations,
        biggest_opportunity=opportunity,
        recommended_action=recommended_action(score, explanations),
        drivers=drivers(previous, now, known) if previous else (),
        previous=previous,
        recent=tuple(daily for daily in recent if first_day <= daily.day < facts.as_of_day),
        risk=risk,
    )


def _explanations(score: StandardScore, facts: Facts) -> dict[Component, Explanation]:
    explanations = {
        Component.ACTIVITY: explain_activity(score.components[Component.ACTIVITY], facts),
        Component.ENGAGEMENT: explain_engagement(score.engagement, facts),
        Component.MILESTONES: explain_milestones(score.components[Component.MILESTONES], facts),
        Component.RECENCY: explain_recency(score.components[Component.RECENCY], facts),
    }
    if facts.crm and score.crm:
        explanations[Component.CRM] = explain_crm(score.crm, facts.crm, facts.as_of)
    return explanations


def snapshot_of(facts: Facts) -> Snapshot:
    """Score an account without explaining the score: what `snapshot` gives of an assessment of these facts."""
    score = standard_score(facts)
    return _snapshot(facts, score, _explanations(score, facts))


def snapshot(health: Health) -> Snapshot:
    """The part of an assessment that the nightly run stores: enough to compare any later score with it."""
    return _snapshot(health.facts, health.score, health.explanations)


def _snapshot(facts: Facts, score: StandardScore, explanations: Mapping[Component, Explanation]) -> Snapshot:
    return Snapshot(
        day=facts.as_of_day,
        as_of=facts.as_of,
        score=score.score,
        band=score.band,
        components=score.components,
        facts={name: explanation.facts for name, explanation in explanations.items()},
    )


def document(health: Health) -> HealthDocument:
    """The health answer as JSON values, in the order of the answer.

    Points and lifts are exact; trend figures and averages are rounded half up for show. `as_of` and all other instants
    are UTC, dates are days of the workspace.
    """
    facts, score = health.facts, health.score
    return {
        "account_id": health.account_id,
        "as_of": format_instant(facts.as_of),
        "model": MODEL,
        "score": score.score,
        "band": score.band.value,
        "color": score.band.color,
        "trend": health.trends.overall.to_json(),
        "components": _components(health),
        "biggest_opportunity": _opportunity(health),
        "recommended_action": health.recommended_action,
        "drivers": [driver.to_json() for driver in health.drivers],
        "compared_with": _compared_with(health.previous),
        "coverage": _coverage(facts),
        "window": {
            "days": WINDOW_DAYS,
            "from": (facts.as_of_day - timedelta(days=WINDOW_DAYS - 1)).isoformat(),
            "to": facts.as_of_day.isoformat(),
        },
        "not_counted": facts.not_counted,
        "recent": [{"date": daily.day.isoformat(), "score": daily.score} for daily in health.recent],
        "risk": None if health.risk is None else risk_document(health.risk, score.band),
    }


def risk_document(risk: Risk, band: Band) -> RiskDocument:
    """The risk as JSON values, beside the band of the score."""
    return {
        "date": risk.day.isoformat(),
        "state": risk.state,
        "since": None if risk.since is None else risk.since.isoformat(),
        "previous": risk.previous,
        "reason": risk.reason,
        "disagrees": disagreement(band, risk.state),
        "due": None if risk.due is None else risk.due.isoformat(),
    }


def _components(health: Health) -> ComponentDocuments:
    return cast("ComponentDocuments", {name.value: _component(health, name) for name in Component})


def _component(health: Health, name: Component) -> dict[str, Any] | None:
    explanation = health.explanations.get(name)
    if explanation is None:
        return None
    score, weight = health.score.components[name], health.score.weights[name]
    return {
        "score": score,
        "weight": weight,
        "points": weight * score / 100,
        "lift": lift(health.score, name),
        "trend": health.trends.components[name].to_json(),
        "facts": explanation.facts,
        **explanation.details,
        "reason": explanation.reason,
        "next_tier": explanation.next_tier.to_json() if explanation.next_tier else None,
        "tip": explanation.tip,
    }


def _opportunity(health: Health) -> Opportunity | None:
    name = health.biggest_opportunity
    if name is None:
        return None
    return {
        "component": name.value,
        "lift": lift(health.score, name),
        "tip": health.explanations[name].tip,
    }


def _compared_with(previous: Snapshot | None) -> ComparedWith | None:
    if previous is None:
        return None
    return {"date": previous.day.isoformat(), "as_of": format_instant(previous.as_of), "score": previous.score}


def _coverage(facts: Facts) -> Coverage:
    """Whether CRM counts, which of its parts are known (scoring rule 10), and whether its facts are stale."""
    if facts.crm is None:
        return {"crm": "not_connected"}
    parts = crm_parts(facts.crm, facts.as_of, facts.as_of_day)
    known = {part.name: part.score is not None for part in parts}
    state: CrmState = "connected" if all(known.values()) else "partial" if any(known.values()) else "unknown"
    coverage: Coverage = {
        "crm": state,
        "crm_parts": cast(
            "CrmPartsKnown", {name: "known" if is_known else "unknown" for name, is_known in known.items()}
        ),
    }
    if facts.crm_synced_at is not None:
        coverage["crm_synced_at"] = format_instant(facts.crm_synced_at)
        if facts.as_of - facts.crm_synced_at > STALE_AFTER:
            coverage["crm"] = "stale"
    return coverage
