"""Second stage: leaves out the changes that earlier alerts of the same day have already reported.

When the same change is alerted again on a later night is decided by the rules: see `week.NIGHTS_TO_REARM`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import AlertKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.alerts.change import Change
    from healthscore.core.alerts.model import Alert
    from healthscore.core.model import Band, Snapshot


def earlier_alerts(today: Iterable[Alert], current: Snapshot) -> list[Alert]:
    """The alerts that were decided from earlier scores of the day.

    Alerts from the same score are no earlier ones. They are there where the run stopped and runs again; it decides the
    same again, under the same ids, and each id is stored once.

    Args:
        today: the stored alerts of the account and of the day of `current`.
        current: the score that is looked at.
    """
    return [alert for alert in today if alert.created_at < current.as_of]


def deduplicate(found: Sequence[Change], earlier: Iterable[Alert], band: Band) -> list[Change]:
    """The changes of kinds that no earlier alert of the day reports, whether as its own kind or as a merged one.

    A band that fell further on the same day is new: `band_fell` stays where the band is lower than in every earlier
    alert that reports it.

    Args:
        found: the changes.
        earlier: the account's earlier alerts of the day.
        band: the account's band now.
    """
    lowest: dict[AlertKind, int] = {}
    for alert in earlier:
        if alert.band is not None:
            for kind in (alert.kind, *alert.merged):
                lowest[kind] = min(lowest.get(kind, alert.band.rank), alert.band.rank)

    def is_new(change: Change) -> bool:
        if change.kind is AlertKind.BAND_FELL and change.kind in lowest:
            return band.rank < lowest[change.kind]
        return change.kind not in lowest

    return [change for change in found if is_new(change)]


def with_unused_id(alert: Alert, earlier: Iterable[Alert], band: Band) -> Alert:
    """The alert, with the band added to its id where an earlier alert of the day has that id: a second fall."""
    if all(alert.alert_id != other.alert_id for other in earlier):
        return alert
    return replace(alert, alert_id=f"{alert.alert_id}-{band.value}")
