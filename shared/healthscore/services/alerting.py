"""The alerts that a new score of an account brings: reads what the pipeline needs, and lets it decide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import Alert
from healthscore.core.alerts.pipeline import Inputs, changes_to_alert, decide
from healthscore.core.alerts.render import Subject
from healthscore.storage.accounts import history
from healthscore.storage.alerts import lists

if TYPE_CHECKING:
    from healthscore.core.account import Account
    from healthscore.core.alerts.settings import AlertSettings
    from healthscore.core.model import Snapshot


def alerts(account: Account, previous: Snapshot | None, current: Snapshot, settings: AlertSettings) -> list[Alert]:
    """The alerts that an account's new score brings; nothing is stored.

    Args:
        account: the account as read.
        previous: the last snapshot before the day of the score; None where there is none, which brings no alert.
        current: the new score.
        settings: which rules are on, and from which size of change.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    return decide(gather(account, previous, current, settings), settings)


def gather(
    account: Account,
    previous: Snapshot | None,
    current: Snapshot,
    settings: AlertSettings,
    *,
    with_today: bool = False,
) -> Inputs:
    """Read what the pipeline needs to decide on an account's new score.

    An account without a change to alert costs no call. One with such a change costs a query for the alerts of the day,
    and one for each snapshot that an alert shows; `previous` is not read again.

    Args:
        account: as for `alerts`.
        previous: as for `alerts`.
        current: as for `alerts`.
        settings: as for `alerts`.
        with_today: whether the alerts of the day are read in any case.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    inputs = Inputs(subject(account), account.recent, previous, current, account.acknowledgement)
    if not with_today and not changes_to_alert(inputs, settings):
        return inputs
    stored = lists.alerts_of_day(account.account_id, current.day)
    inputs = replace(inputs, today=tuple(Alert.from_json(body) for body in stored))
    shown = {change.since for change in changes_to_alert(inputs, settings)}
    return replace(
        inputs,
        kept={
            snapshot.day: snapshot
            for day in sorted(shown)
            if previous is None or day != previous.day
            for snapshot in history.snapshots(account.account_id, day, day)
        },
    )


def subject(account: Account) -> Subject:
    """The account as alerts name it, and its owner: both from its profile."""
    name = " ".join(str(account.profile.get("name") or account.account_id).split())
    owner = account.profile.get("owner") or account.profile.get("owner_email")
    return Subject(account.account_id, name, str(owner) if owner else None)
