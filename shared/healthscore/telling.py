"""What a new score of an account is worth telling, in words, compared with the nights that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.alert_rules import changes
from healthscore.core.alert_story import Subject, tell
from healthscore.storage import history

if TYPE_CHECKING:
    from datetime import date

    from healthscore.core.alert_settings import AlertSettings
    from healthscore.core.alerts import Alert
    from healthscore.core.model import Snapshot
    from healthscore.storage.accounts import Account


def alerts(account: Account, previous: Snapshot, current: Snapshot, rules: AlertSettings) -> list[Alert]:
    """The alerts that an account's new score gives rise to; nothing is stored.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    found = changes(account.recent, previous, current, rules)
    return [
        tell(change, subject(account), _kept(account.account_id, change.since, previous), current) for change in found
    ]


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
