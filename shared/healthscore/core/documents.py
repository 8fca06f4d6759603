"""The stored JSON forms of snapshots, daily scores and CRM facts. Reading gives back the value that was written."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.model import Band, Component, CrmFacts, DailyScore, OpenFinding, Risk, Snapshot
from healthscore.core.time import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CRM_INSTANTS = ("last_meeting_at", "last_email_at", "last_contact_at", "deal_updated_at")
CRM_FIELDS = (
    "provider",
    "open_tickets",
    "high_priority_open",
    "last_meeting_at",
    "last_email_at",
    "last_contact_at",
    "active_deal",
    "deal_updated_at",
    "renewal_date",
    "churned",
)
"""The fields of `CrmFacts` that may be unknown, in the order of answers."""
_COMPONENTS = tuple(Component)
"""A tuple, since iterating over the enumeration takes several times as long, and an account has thirty nights."""


def snapshot_to_json(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as JSON values, `components` and `facts` by component name, `risk` where there is one."""
    document: dict[str, Any] = {
        "date": snapshot.day.isoformat(),
        "as_of": format_instant(snapshot.as_of),
        "score": snapshot.score,
        "band": snapshot.band.value,
        "components": {name.value: score for name, score in snapshot.components.items()},
        "facts": {name.value: dict(facts) for name, facts in snapshot.facts.items()},
    }
    if snapshot.risk is not None:
        document["risk"] = risk_to_json(snapshot.risk)
    return document


def snapshot_from_json(document: Mapping[str, Any]) -> Snapshot:
    """Read what `snapshot_to_json` wrote."""
    return Snapshot(
        day=date.fromisoformat(document["date"]),
        as_of=parse_instant(document["as_of"]),
        score=document["score"],
        band=Band(document["band"]),
        components={Component(name): score for name, score in document["components"].items()},
        facts={Component(name): facts for name, facts in document["facts"].items()},
        risk=risk_from_json(document["risk"]) if "risk" in document else None,
    )


def risk_to_json(risk: Risk) -> dict[str, Any]:
    """A risk as JSON values: `day`, and what there is to say; findings as lists in the order of their fields."""
    document: dict[str, Any] = {
        "day": risk.day.isoformat(),
        "state": risk.state,
        "since": _day_text(risk.since),
        "previous": risk.previous,
        "reason": risk.reason,
        "due": _day_text(risk.due),
        "findings": [
            [one.detector, one.signal, one.level, one.state, one.opened.isoformat(), one.usual, one.now, one.percent]
            for one in risk.findings
        ],
    }
    return {name: value for name, value in document.items() if value}


def risk_from_json(document: Mapping[str, Any]) -> Risk:
    """Read what `risk_to_json` wrote."""
    return Risk(
        day=date.fromisoformat(document["day"]),
        state=document.get("state"),
        since=_day(document.get("since")),
        previous=document.get("previous"),
        reason=document.get("reason"),
        due=_day(document.get("due")),
        findings=tuple(
            OpenFinding(detector, signal, level, state, date.fromisoformat(opened), usual, now, percent)
            for detector, signal, level, state, opened, usual, now, percent in document.get("findings", ())
        ),
    )


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def daily_to_json(daily: DailyScore) -> list[Any]:
    """The short form of a daily score: `[date, score, [activity, engagement, milestones, recency, crm or null]]`."""
    return [daily.day.isoformat(), daily.score, [daily.components.get(name) for name in _COMPONENTS]]


def daily_from_json(document: Sequence[Any]) -> DailyScore:
    """Read what `daily_to_json` wrote."""
    day, score, components = document
    return DailyScore(
        day=date.fromisoformat(day),
        score=score,
        components={
            name: component for name, component in zip(_COMPONENTS, components, strict=True) if component is not None
        },
    )


def crm_to_json(facts: CrmFacts) -> dict[str, Any]:
    """CRM facts as JSON values: `received_at` and the known fields. Null means none; unknown fields are missing."""
    document: dict[str, Any] = {"received_at": format_instant(facts.received_at)}
    for name in CRM_FIELDS:
        if name not in facts.unknown:
            value = getattr(facts, name)
            if value is not None and name in CRM_INSTANTS:
                value = format_instant(value)
            elif isinstance(value, date):
                value = value.isoformat()
            document[name] = value
    if facts.arr is not None:
        document["arr"] = facts.arr
    return document


def crm_from_json(document: Mapping[str, Any]) -> CrmFacts:
    """Read what `crm_to_json` wrote; a missing field is unknown."""
    known = {name: document[name] for name in CRM_FIELDS if name in document}
    for name in CRM_INSTANTS:
        if known.get(name) is not None:
            known[name] = parse_instant(known[name])
    if known.get("renewal_date") is not None:
        known["renewal_date"] = date.fromisoformat(known["renewal_date"])
    return CrmFacts(
        received_at=parse_instant(document["received_at"]),
        unknown=frozenset(CRM_FIELDS).difference(known),
        arr=document.get("arr"),
        **known,
    )
