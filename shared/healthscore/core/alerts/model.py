"""Alerts as values: their fields, their ids and their JSON.

An alert is written once and never changes. Whether it has been sent is the state of the stored item that holds it; the
API adds that as `status` where it shows alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from healthscore.core.model import Band
from healthscore.core.time import format_instant, parse_instant

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.core.json_types import BandName, Day, Instant

    _FromTo = TypedDict("_FromTo", {"from": float | str | None, "to": float | str | None})

    class EvidenceJson(_FromTo):
        """One figure that moved."""

        what: str
        since: Day | None
        """The day on which it read `from`; null where that is no single day."""
        date: Day
        """The day on which it reads `to`."""

    class AlertJson(TypedDict):
        """An alert as it is stored and published."""

        alert_id: str
        account_id: str | None
        """Null where the alert is about the whole workspace."""
        kind: str
        severity: Literal["high", "medium", "low"]
        day: Day
        """The night's day."""
        created_at: Instant
        """The instant as of which the night was scored."""
        title: str
        why: str
        evidence: list[EvidenceJson]
        action: str
        band: BandName | None
        """The account's band after the change."""
        owner: str | None
        also: list[str]
        """Kinds of the alerts that are merged into this one: other rules saw the same fall."""


class AlertKind(StrEnum):
    """What an alert reports."""

    BAND_FELL = "band_fell"
    DECLINING = "declining"
    SCORE_FELL = "score_fell"
    SILENT = "silent"
    RECOVERED = "recovered"
    SNOOZE_OVER = "snooze_over"
    """The time of a snooze is over, and the account is not well again."""
    TICKET_OPENED = "ticket_opened"
    """A change of the CRM's facts, alerted at once. All other kinds of one account come from scores."""
    FLEET_SILENT = "fleet_silent"
    """A tracking outage: most accounts fell silent at once. About the whole workspace, as the digest is."""
    DIGEST = "digest"
    """The night in short. About the whole workspace."""


class Severity(StrEnum):
    """How soon a person should look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One figure that changed: its name, its values before and after, and their days.

    In JSON `day`, `before` and `after` are called `date`, `from` and `to`.
    """

    what: str
    day: date
    """The day on which the figure reads `after`."""
    before: float | str | None
    after: float | str | None
    since: date | None = None
    """The day on which it read `before`; None where that is no single day."""

    def to_json(self) -> EvidenceJson:
        """The form in which evidence is stored and shown."""
        return {
            "what": self.what,
            "since": self.since.isoformat() if self.since else None,
            "date": self.day.isoformat(),
            "from": self.before,
            "to": self.after,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Evidence:
        """Read what `to_json` wrote."""
        return cls(
            what=stored["what"],
            since=date.fromisoformat(stored["since"]) if stored["since"] else None,
            day=date.fromisoformat(stored["date"]),
            before=stored["from"],
            after=stored["to"],
        )


@dataclass(frozen=True, slots=True)
class Alert:
    """A message about a change, with everything a person needs to act on it today."""

    alert_id: str
    """The same however often a night is run, so that an alert is stored once and a receiver can drop a repeat."""
    account_id: str | None
    """None for an alert about the whole workspace, such as the digest."""
    kind: AlertKind
    severity: Severity
    day: date
    """The night's day in the workspace's time zone."""
    created_at: datetime
    """The instant that was scored: for a night it is the same for every account."""
    title: str
    why: str
    evidence: tuple[Evidence, ...]
    action: str
    band: Band | None = None
    """The account's band after the change."""
    owner: str | None = None
    """The person who looks after the account, from the profile of that night."""
    merged: tuple[AlertKind, ...] = ()
    """Further kinds that it reports: other rules found the same fall. In JSON `also`."""

    def to_json(self) -> AlertJson:
        """The form in which an alert is stored, shown by the API and published to machines."""
        return {
            "alert_id": self.alert_id,
            "account_id": self.account_id,
            "kind": self.kind.value,
            "severity": self.severity.value,
            "day": self.day.isoformat(),
            "created_at": format_instant(self.created_at),
            "title": self.title,
            "why": self.why,
            "evidence": [item.to_json() for item in self.evidence],
            "action": self.action,
            "band": self.band.value if self.band else None,
            "owner": self.owner,
            "also": [kind.value for kind in self.merged],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Alert:
        """Read what `to_json` wrote; keys added beside it, such as a status, are ignored."""
        return cls(
            alert_id=stored["alert_id"],
            account_id=stored["account_id"],
            kind=AlertKind(stored["kind"]),
            severity=Severity(stored["severity"]),
            day=date.fromisoformat(stored["day"]),
            created_at=parse_instant(stored["created_at"]),
            title=stored["title"],
            why=stored["why"],
            evidence=tuple(Evidence.from_json(item) for item in stored["evidence"]),
            action=stored["action"],
            band=Band(stored["band"]) if stored["band"] else None,
            owner=stored["owner"],
            merged=tuple(AlertKind(kind) for kind in stored["also"]),
        )


def alert_id(kind: AlertKind, day: date, account_id: str | None) -> str:
    """The id of an alert: one for each account, kind and day, or for each kind and day of the whole workspace.

    The id holds 80 bits of the account id's hash, since an account id may have 200 characters of any kind, and an alert
    id is short and safe to paste into a URL or a filter.
    """
    if account_id is None:
        return f"{day.isoformat()}-{kind.value}"
    return f"{day.isoformat()}-{kind.value}-{sha256(account_id.encode()).hexdigest()[:20]}"
