"""Fourth stage: an acknowledgement suppresses the falls of its account until they get worse.

Different rules can report the same fall: the drop, the decline after it, and the silence in the end. So an
acknowledgement of any alert suppresses every fall of the account: until the account is worse than it was then, until a
snooze ends, or until the account was well again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.acknowledgement import AcknowledgementStatus
from healthscore.core.alerts.change import FALLS, Change
from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.outage import present
from healthscore.core.alerts.rules import nights_of
from healthscore.core.alerts.week import CHANCE_POINTS, NIGHTS_TO_LAST, NIGHTS_TO_REARM
from healthscore.core.model import Band
from healthscore.core.scoring.standard import band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.alerts.acknowledgement import Acknowledgement
    from healthscore.core.alerts.model import Alert
    from healthscore.core.model import DailyScore, Snapshot

WORSENED_POINTS = 10
"""A score this many points below the known one is a further fall."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """An acknowledgement that is in force for a score."""

    acknowledgement: Acknowledgement
    ended_by: AlertKind | None
    """The kind of alert that ends it with this score: `snooze_over`, or a fall; None where it goes on."""


def suppression(
    acknowledgement: Acknowledgement | None,
    recent: Sequence[DailyScore],
    previous: Snapshot | None,
    current: Snapshot,
) -> Suppression | None:
    """Whether an acknowledgement is in force for a score, and whether the score ends it.

    It depends on kept nights, and only on an acknowledgement made before the scored instant: a night that runs again
    decides the same.

    Args:
        acknowledgement: the account's latest one; None where there is none.
        recent: kept scores of nights before tonight.
        previous: the last snapshot before tonight's; None on an account's first night.
        current: tonight's snapshot.

    Returns:
        None where no acknowledgement is in force: there is none, it was made after the scored instant, it ended without
        a follow-up, or the account was well again meanwhile.
    """
    if acknowledgement is None or previous is None:
        return None
    if acknowledgement.at > current.as_of or acknowledgement.until <= previous.as_of:
        return None
    nights = nights_of(recent, previous, current)
    since = [*(night for night in nights[:-1] if night.day > acknowledgement.day), nights[-1]]
    if _was_well(acknowledgement, since):
        return None
    if acknowledgement.until <= current.as_of:
        snoozed = acknowledgement.status is AcknowledgementStatus.SNOOZED
        unwell = snoozed and _holds(acknowledgement, nights[-1])
        return Suppression(acknowledgement, AlertKind.SNOOZE_OVER) if unwell else None
    fall = AlertKind.BAND_FELL if current.band.rank < band(acknowledgement.score).rank else AlertKind.SCORE_FELL
    return Suppression(acknowledgement, fall if _got_worse(acknowledgement, since) else None)


def follow_up(found: Sequence[Change], in_force: Suppression | None) -> list[Change]:
    """The changes, and first the end of the suppression where no rule found a fall that reports it.

    This belongs to the first stage: what it adds is deduplicated and grouped like any other change.
    """
    if in_force is None or in_force.ended_by is None or any(change.kind in FALLS for change in found):
        return list(found)
    known = in_force.acknowledgement
    return [Change(in_force.ended_by, known.score, known.day), *found]


def suppress(
    groups: Sequence[Change], in_force: Suppression | None, earlier: Sequence[Alert], current: Snapshot
) -> list[Change]:
    """Leave out the falls, or mark them with the acknowledgement where it has ended; all other changes stay.

    Args:
        groups: the changes.
        in_force: the acknowledgement; None where there is none.
        earlier: the account's earlier alerts of the day. One that has reported the end of the acknowledgement is not
            repeated within the day, by whatever rule, unless the band is yet lower.
        current: the score that is looked at.
    """
    if in_force is None:
        return list(groups)
    if in_force.ended_by is None or _alerted_today(in_force.acknowledgement, earlier, current):
        return [change for change in groups if change.kind not in (*FALLS, AlertKind.SNOOZE_OVER)]
    return [
        replace(change, acknowledgement=in_force.acknowledgement)
        if change.kind in FALLS or change.kind is AlertKind.SNOOZE_OVER
        else change
        for change in groups
    ]


def _alerted_today(acknowledgement: Acknowledgement, earlier: Sequence[Alert], current: Snapshot) -> bool:
    """Whether an alert of the day, after the acknowledgement, has reported a band as low as now."""
    return any(
        alert.kind in (*FALLS, AlertKind.SNOOZE_OVER)
        and alert.created_at > acknowledgement.at
        and alert.band is not None
        and alert.band.rank <= current.band.rank
        for alert in earlier
    )


def _holds(acknowledgement: Acknowledgement, night: DailyScore) -> bool:
    """Whether the trouble is still there on a night.

    A silence lasts until somebody is seen. Any other trouble lasts as long as the account is not healthy, or, where it
    was healthy even at the acknowledgement, until its score has risen by `WORSENED_POINTS`.
    """
    if acknowledgement.kind is AlertKind.SILENT:
        return not present(night)
    was_healthy = band(acknowledgement.score) is Band.HEALTHY
    return band(night.score) is not Band.HEALTHY or (
        was_healthy and night.score < acknowledgement.score + WORSENED_POINTS
    )


def _was_well(acknowledgement: Acknowledgement, since: Sequence[DailyScore]) -> bool:
    """Whether the account was well again: seen once after a silence, or well for three nights in a row."""
    needed = 1 if acknowledgement.kind is AlertKind.SILENT else NIGHTS_TO_REARM
    well = 0
    for night in since:
        well = 0 if _holds(acknowledgement, night) else well + 1
        if well == needed:
            return True
    return False


def _got_worse(acknowledgement: Acknowledgement, since: Sequence[DailyScore]) -> bool:
    """Whether the last night is worse than the known score: `WORSENED_POINTS` below it, or in a lower band.

    A lower band counts `CHANCE_POINTS` below, or once it has lasted: a quiet weekend makes no trouble worse. The known
    score falls with each night that was worse, so the same fall is alerted once.
    """
    known, worse, lower = acknowledgement.score, False, 0
    for night in since:
        lower = lower + 1 if band(night.score).rank < band(known).rank else 0
        lasting = lower >= NIGHTS_TO_LAST or (lower > 0 and night.score <= known - CHANCE_POINTS)
        worse = lasting or night.score <= known - WORSENED_POINTS
        if worse:
            known = night.score
    return worse
