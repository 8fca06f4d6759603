"""A score between two nights: when a CRM says something new, the account is scored at once and may alert at once.

What is found is kept as the day's snapshot, where the night has taken one, so that the next night compares with what
people were already told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.health import assess, snapshot
from healthscore.scoring import gather_facts
from healthscore.storage import accounts, history, messages
from healthscore.telling import alerts as alerts_of

if TYPE_CHECKING:
    from datetime import datetime

    from healthscore.core.alerts import Alert
    from healthscore.core.model import Snapshot
    from healthscore.settings import Settings
    from healthscore.storage.accounts import Account


def rescore(account: Account, now: datetime, settings: Settings, *, telling: bool) -> tuple[Snapshot, list[Alert]]:
    """Score an account as of now, keep what was found, and store the alerts that it is worth.

    An account whose first night is still to come has nothing to compare with: it is scored, and nothing is kept. What
    is told already under the same id, by the night or by an earlier change of the same day, is not told again.

    Args:
        account: the account as read, with what is new in it.
        now: the instant to score, aware UTC.
        settings: the workspace's settings.
        telling: whether alerts are stored; where they are not, the change is taken as known.

    Returns:
        The score, and the alerts that are now to be sent.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    current = snapshot(assess(account.account_id, gather_facts(account, now, settings, consistent=True), (), None))
    latest = account.latest
    if latest is None or latest.day > current.day:
        return current, []
    previous = latest if latest.day < current.day else history.snapshot_before(account.account_id, current.day)
    alerts = alerts_of(account, previous, current, settings.alerts) if telling and previous else []
    new = [alert for alert in alerts if _store(alert)]
    if latest.day == current.day:
        history.put_snapshot(account.account_id, current, replace=True)
    accounts.save_score(account, current)
    return current, new


def _store(alert: Alert) -> bool:
    return messages.add(messages.Message(alert.account_id, alert.alert_id, alert.created_at, alert.to_json()))
