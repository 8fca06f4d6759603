"""What a new score of an account is worth telling, in words, compared with the nights that are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.grouping import grouped
from healthscore.core.alerts.model import Alert
from healthscore.core.alerts.render import Subject, render
from healthscore.core.alerts.rules import changes
from healthscore.core.alerts.suppression import Acknowledgement, suppress
from healthscore.storage.accounts import history
from healthscore.storage.alerts import lists

if TYPE_CHECKING:
    from datetime import date

    from healthscore.core.account import Account
    from healthscore.core.alerts.settings import AlertSettings
    from healthscore.core.model import Snapshot


def alerts(account: Account, previous: Snapshot, current: Snapshot, rules: AlertSettings) -> list[Alert]:
    """The alerts that an account's new score gives rise to, one for all that tells of a fall; nothing is stored.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    seen = changes(account.recent, previous, current, rules)
    acknowledgement = None if account.acknowledgement is None else Acknowledgement.from_json(account.acknowledgement)
    found = suppress(seen, acknowledgement, account.recent, previous, current)
    if not found:
        return []
    # What the same night has told, in a run that was killed, is told again: it has the same ids.
    earlier = [
        alert
        for alert in map(Alert.from_json, lists.alerts_of_day(account.account_id, current.day))
        if alert.created_at < current.as_of
    ]
    again = {alert.alert_id for alert in earlier}
    alerts = []
    for change in grouped(found, earlier, current.band):
        told = render(change, subject(account), _kept(account.account_id, change.since, previous), current)
        # A second fall on one day, into a yet lower band.
        alerts.append(
            replace(told, alert_id=f"{told.alert_id}-{current.band.value}") if told.alert_id in again else told
        )
    return alerts


def subject(account: Account) -> Subject:
    """Whom alerts about an account speak of, and to whom."""
    name = " ".join(str(account.profile.get("name") or account.account_id).split())
    owner = account.profile.get("owner") or account.profile.get("owner_email")
    return Subject(account.account_id, name, str(owner) if owner else None)


def _kept(account_id: str, day: date, otherwise: Snapshot) -> Snapshot:
    """The snapshot of a day on which a score was kept; should it be gone, another one."""
    if day == otherwise.day:
        return otherwise
    return next(iter(history.snapshots(account_id, day, day)), otherwise)
