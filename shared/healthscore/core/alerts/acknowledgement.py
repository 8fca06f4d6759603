"""An acknowledgement: a person has taken over the trouble of an account, for a time, and how bad it was then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from healthscore.core.alerts.model import AlertKind
from healthscore.core.time import format_instant, parse_instant

MAX_SNOOZE = timedelta(days=30)
"""The longest snooze, and how long every other acknowledgement lasts: the rules look back on as many nights."""


class AcknowledgementStatus(StrEnum):
    """The two ways to acknowledge an alert."""

    ACKNOWLEDGED = "acknowledged"
    """Lasts `MAX_SNOOZE`, and nothing follows its end."""
    SNOOZED = "snoozed"
    """Lasts until a chosen time. An account that is not well by then gets an alert."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One acknowledgement of one alert. It suppresses the falls of the whole account."""

    alert_id: str
    kind: AlertKind
    """The kind of the acknowledged alert."""
    status: AcknowledgementStatus
    by: str
    """The person, as they wrote their name."""
    reason: str | None
    at: datetime
    """The instant of the request, aware."""
    until: datetime
    """The instant at which it ends, aware."""
    day: date
    """The day of the account's newest score at `at`."""
    score: int
    """That score: later falls are compared with it."""

    def to_json(self) -> dict[str, Any]:
        """The form in which it is stored."""
        return {
            "alert_id": self.alert_id,
            "kind": self.kind.value,
            "status": self.status.value,
            "by": self.by,
            "reason": self.reason,
            "at": format_instant(self.at),
            "until": format_instant(self.until),
            "day": self.day.isoformat(),
            "score": self.score,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Acknowledgement:
        """Read what `to_json` wrote."""
        return cls(
            alert_id=stored["alert_id"],
            kind=AlertKind(stored["kind"]),
            status=AcknowledgementStatus(stored["status"]),
            by=stored["by"],
            reason=stored["reason"],
            at=parse_instant(stored["at"]),
            until=parse_instant(stored["until"]),
            day=date.fromisoformat(stored["day"]),
            score=stored["score"],
        )

    def repeats(self, other: Acknowledgement) -> bool:
        """Whether both state the same about the same alert, at whatever time they were made."""
        same = (self.alert_id, self.status, self.by, self.reason) == (
            other.alert_id,
            other.status,
            other.by,
            other.reason,
        )
        return same and (self.status is AcknowledgementStatus.ACKNOWLEDGED or self.until == other.until)
