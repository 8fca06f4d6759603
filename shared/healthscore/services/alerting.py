"""The alerts that a new score of an account brings: reads what the pipeline needs, and lets it decide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import Alert, AlertKind
from healthscore.core.alerts.pipeline import Inputs, changes_to_alert, decide
from healthscore.core.alerts.render import Subject, called
from healthscore.core.model import Band
from healthscore.core.scoring.standard import band
from healthscore.core.text import one_line
from healthscore.core.time import DAY
from healthscore.services.scoring import known_now, snapshot_at
from healthscore.storage.accounts import history
from healthscore.storage.alerts import lists

if TYPE_CHECKING:
    from healthscore.core.account import Account
    from healthscore.core.model import Snapshot
    from healthscore.settings import Settings

STEP_DAYS = 14
"""Where no kept night was healthy, the account is scored as of instants so many days apart: half a window."""


def alerts(account: Account, previous: Snapshot | None, current: Snapshot, settings: Settings) -> list[Alert]:
    """The alerts that an account's new score brings; nothing is stored.

    Args:
        account: the account as read.
        previous: the last snapshot before the day of the score; None where there is none, which brings no alert.
        current: the new score.
        settings: the workspace's settings.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    if not changes_to_alert(_inputs(account, previous, current), settings.alerts):
        return []
    return decide(gather(account, previous, current, settings), settings.alerts)


def gather(
    account: Account,
    previous: Snapshot | None,
    current: Snapshot,
    settings: Settings,
    *,
    with_today: bool = False,
) -> Inputs:
    """Read what the pipeline needs to decide on an account's new score.

    An account without a change to alert costs no call. One with such a change costs a query for the alerts of the day,
    and for each snapshot that an alert shows one to read it and one to see what is known of that night now; `previous`
    is not read again. A recovery costs one for whether the account
    ever was healthy, and where no night says so, one for each fortnight of its life.

    Args:
        account: as for `alerts`.
        previous: as for `alerts`.
        current: as for `alerts`.
        settings: as for `alerts`.
        with_today: whether the alerts of the day are read in any case.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    inputs = _inputs(account, previous, current)
    if not with_today and not changes_to_alert(inputs, settings.alerts):
        return inputs
    stored = lists.alerts_of_day(account.account_id, current.day)
    inputs = replace(inputs, today=tuple(Alert.from_json(body) for body in stored))
    due = changes_to_alert(inputs, settings.alerts)
    if previous is None or not due:
        return inputs
    kept = {
        snapshot.day: snapshot
        for day in sorted({change.since for change in due} - {previous.day})
        for snapshot in history.snapshots(account, day, day)
    }
    nights = {previous.day: previous, **kept}
    return replace(
        inputs,
        kept=kept,
        known={day: known_now(account, night, settings) for day, night in nights.items()},
        was_healthy=all(change.kind is not AlertKind.RECOVERED for change in due)
        or _was_healthy(account, current, settings),
    )


def _inputs(account: Account, previous: Snapshot | None, current: Snapshot) -> Inputs:
    return Inputs(subject(account), account.recent, previous, current, account.acknowledgement)


def _was_healthy(account: Account, current: Snapshot, settings: Settings) -> bool:
    """Whether the account was healthy before a score's day: on a kept night, or by its events of before the nights."""
    if any(band(night.score) is Band.HEALTHY for night in account.recent if night.day < current.day):
        return True
    if history.was_healthy(account, current.day):
        return True
    ages = range(STEP_DAYS, settings.retention_days, STEP_DAYS)
    instants = (current.as_of - age * DAY for age in ages)
    earlier = (snapshot_at(account, at, current.as_of, settings) for at in instants if at > account.known_since)
    return any(night is not None and night.band is Band.HEALTHY for night in earlier)


def subject(account: Account) -> Subject:
    """The account as alerts name it, and its owner: both from its profile."""
    owner = account.profile.get("owner") or account.profile.get("owner_email")
    name = called(account.account_id, str(account.profile.get("name") or ""))
    return Subject(account.account_id, name, one_line(str(owner)) or None if owner else None)
