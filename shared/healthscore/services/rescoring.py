"""Scores an account between two nights, when its CRM facts change, and alerts at once what the new score brings.

Where the day's night has kept a snapshot, the new score takes its place. So the next night compares with the score that
people have been alerted about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.pipeline import decide
from healthscore.core.alerts.tickets import merge_tickets, render_tickets, tickets_opened
from healthscore.core.health import snapshot_of
from healthscore.core.time import day_of
from healthscore.services.alerting import gather, subject
from healthscore.services.scoring import gather_facts
from healthscore.storage.accounts import accounts, history
from healthscore.storage.alerts import messages
from healthscore.storage.crm import save_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.core.alerts.model import Alert
    from healthscore.core.model import CrmFacts, Facts, Snapshot
    from healthscore.settings import Settings


def rescore(
    account: Account,
    received: CrmFacts,
    now: datetime,
    settings: Settings,
    *,
    alerting: bool,
    along: Sequence[Any] = (),
) -> tuple[Snapshot, list[Alert]] | None:
    """Save new CRM facts of an account, score the account as of now, and store the alerts that this brings.

    An alert of the score needs a night to compare with: before an account's first one, it is scored and no score is
    kept. An alert that is stored already under the same id, by the night or by an earlier change of the day, is not
    stored again. The ticket alert is saved in one transaction with the facts. A crash after that loses no alert: the
    next night finds the changes of the score.

    Args:
        account: the account as read.
        received: the facts that replace its CRM facts.
        now: the instant to score, aware UTC, not before the facts were received.
        settings: the workspace's settings.
        alerting: whether alerts are stored; where they are not, the change counts as known.
        along: further parts of the transaction that saves the facts.

    Returns:
        The score, and the alerts that are now to be sent; None where another process has changed the account
        meanwhile, or a part in `along` failed, and nothing was saved.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    facts = gather_facts(replace(account, crm=received), now, settings, consistent=True)
    current = snapshot_of(facts)
    latest = account.latest
    has_night = latest is not None and latest.day <= current.day
    if latest is not None and has_night:
        current = replace(current, risk=latest.risk)  # the risk is judged by nights
    urgent: Alert | None = None
    others: list[Alert] = []
    if alerting:
        previous = history.snapshot_before(account, current.day) if has_night else None
        opened = _tickets(account, received, facts, current, settings)
        inputs = gather(account, previous, current, settings, with_today=opened is not None)
        stored = {alert.alert_id for alert in inputs.today}
        urgent, others = merge_tickets(opened, decide(inputs, settings.alerts), stored)
    if not save_facts.save(account, received, messages.Message.of(urgent) if urgent else None, along):
        return None
    new = [*([urgent] if urgent else ()), *(alert for alert in others if messages.add(messages.Message.of(alert)))]
    if latest is not None and has_night:
        accounts.save_score(account, current, shown=True)
    return current, new


def _tickets(account: Account, received: CrmFacts, facts: Facts, current: Snapshot, settings: Settings) -> Alert | None:
    """The alert of tickets that were opened; None where none were, or the rule is off."""
    before = account.crm
    if before is None or not settings.alerts.ticket_opened.enabled or not tickets_opened(before, received):
        return None
    then = snapshot_of(replace(facts, crm=before))
    since = day_of(before.received_at, settings.zone)
    return render_tickets(subject(account), before, since, then, current)
