"""What somebody has said about an alert, and what that silences: an account's falls, while they do not get worse.

A plunge, the decline after it and the silence in the end are one trouble, told by different rules. So whoever has one
alert of an account has that account's trouble, and none of its falls is told again; until it gets worse, until the time
of the snooze is over, or until the account was well again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.grouping import FALLS
from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.outage import present
from healthscore.core.alerts.rules import NIGHTS_TO_REARM, Change, nights_of
from healthscore.core.model import Band
from healthscore.core.scoring.standard import band
from healthscore.core.time import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.model import DailyScore, Snapshot

MAX_SNOOZE = timedelta(days=30)
"""An alert is handled for so long at most: the rules look back on as many nights. An acknowledgement lasts so long."""
WORSENED_POINTS = 10
"""Points below the known score from which on a fall is a further one."""


class AcknowledgementStatus(StrEnum):
    """What somebody said."""

    ACKNOWLEDGED = "acknowledged"
    """I have it."""
    SNOOZED = "snoozed"
    """Not before that time."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What somebody has said about an alert."""

    alert_id: str
    kind: AlertKind
    status: AcknowledgementStatus
    by: str
    reason: str | None
    at: datetime
    until: datetime
    """When it ends."""
    day: date
    """The day of the account's newest score at that time."""
    score: int
    """That score: what is known, and silenced."""

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

    def says(self, other: Acknowledgement) -> bool:
        """Whether both say the same of the same alert, whenever they said it."""
        same = (self.alert_id, self.status, self.by, self.reason) == (
            other.alert_id,
            other.status,
            other.by,
            other.reason,
        )
        return same and (self.status is AcknowledgementStatus.ACKNOWLEDGED or self.until == other.until)


def suppress(
    found: Sequence[Change],
    acknowledgement: Acknowledgement | None,
    recent: Sequence[DailyScore],
    previous: Snapshot,
    current: Snapshot,
) -> list[Change]:
    """What is left to tell of the changes that a score brought, where somebody has the account's trouble in hand.

    It depends on kept nights alone, and on what was said before the instant that is scored: a night that is run again
    tells the same.

    Args:
        found: the changes that the rules saw.
        acknowledgement: what was said last about an alert of the account; None where nothing was.
        recent: kept scores of nights before tonight.
        previous: the last snapshot before tonight's.
        current: tonight's snapshot.
    """
    if acknowledgement is None or acknowledgement.at > current.as_of or acknowledgement.until <= previous.as_of:
        return list(found)
    nights = nights_of(recent, previous, current)
    since = [*(night for night in nights[:-1] if night.day > acknowledgement.day), nights[-1]]
    if _over(acknowledgement, since):
        return list(found)
    falls = [change for change in found if change.kind in FALLS]
    others = [change for change in found if change.kind not in FALLS]
    if acknowledgement.until <= current.as_of:
        if acknowledgement.status is AcknowledgementStatus.ACKNOWLEDGED or not _holds(acknowledgement, nights[-1]):
            return list(found)
        falls = falls or [Change(AlertKind.SNOOZE_OVER, acknowledgement.score, acknowledgement.day)]
    elif not _got_worse(acknowledgement, since):
        return others
    else:
        lower = current.band.rank < band(acknowledgement.score).rank
        kind = AlertKind.BAND_FELL if lower else AlertKind.SCORE_FELL
        falls = falls or [Change(kind, acknowledgement.score, acknowledgement.day)]
    return [*(replace(change, acknowledgement=acknowledgement) for change in falls), *others]


def _holds(acknowledgement: Acknowledgement, night: DailyScore) -> bool:
    """Whether the trouble is still there on a night.

    A silence is until somebody is seen; any other trouble is as long as the account is not healthy, or, where it was
    healthy even then, as long as its score has not clearly risen.
    """
    if acknowledgement.kind is AlertKind.SILENT:
        return not present(night)
    was_healthy = band(acknowledgement.score) is Band.HEALTHY
    return band(night.score) is not Band.HEALTHY or (
        was_healthy and night.score < acknowledgement.score + WORSENED_POINTS
    )


def _over(acknowledgement: Acknowledgement, since: Sequence[DailyScore]) -> bool:
    """Whether the account was well again meanwhile: once seen after a silence, or well for three nights in a row."""
    needed = 1 if acknowledgement.kind is AlertKind.SILENT else NIGHTS_TO_REARM
    well = 0
    for night in since:
        well = 0 if _holds(acknowledgement, night) else well + 1
        if well == needed:
            return True
    return False


def _got_worse(acknowledgement: Acknowledgement, since: Sequence[DailyScore]) -> bool:
    """Whether the last night is worse than what is known: in a lower band, or clearly further down.

    What is known falls with each night that was told to be worse, so the same fall is told once.
    """
    known, worse = acknowledgement.score, False
    for night in since:
        worse = band(night.score).rank < band(known).rank or night.score <= known - WORSENED_POINTS
        if worse:
            known = night.score
    return worse
