"""A score between two nights: when a CRM says something new, the account is scored at once and may alert at once.

What is found is kept as the day's snapshot, where the night has taken one, so that the next night compares with what
people were already told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.outage import DROPS
from healthscore.core.alerts.tickets import render_tickets, tickets_opened, with_tickets
from healthscore.core.health import assess, snapshot
from healthscore.core.time import day_of
from healthscore.services.alerting import alerts as alerts_of
from healthscore.services.alerting import subject
from healthscore.services.scoring import gather_facts
from healthscore.storage.accounts import accounts, history
from healthscore.storage.alerts import messages
from healthscore.storage.crm import facts as crm_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.core.alerts.model import Alert
    from healthscore.core.model import CrmFacts, Facts, Snapshot
    from healthscore.settings import Settings


def enter(
    account: Account,
    said: CrmFacts,
    now: datetime,
    settings: Settings,
    *,
    alerting: bool,
    along: Sequence[Any] = (),
) -> tuple[Snapshot, list[Alert]] | None:
    """Enter what a CRM says of an account, score the account as of now, and store the alerts that it is worth.

    What a score is worth telling needs a night to compare with: before its first one, an account is scored and nothing
    is kept. What is told already under the same id, by the night or by an earlier change of the same day, is not told
    again. Whoever dies after the facts are entered has told of their tickets; of the score, the next night tells.

    Args:
        account: the account as read.
        said: what takes the place of its CRM facts.
        now: the instant to score, aware UTC, not before the facts were received.
        settings: the workspace's settings.
        alerting: whether alerts are stored; where they are not, the change is taken as known.
        along: what is written together with the facts, or not at all.

    Returns:
        The score, and the alerts that are now to be sent; None where others have changed the account meanwhile, or what
        is written along, and nothing was entered.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    facts = gather_facts(replace(account, crm=said), now, settings, consistent=True)
    current = _score(account, facts)
    latest = account.latest
    dated = latest is not None and latest.day <= current.day
    found = _by_score(account, current, settings) if alerting and dated else []
    opened = _tickets(account, said, facts, current, settings) if alerting else None
    urgent, others = _merged(opened, found)
    if not crm_facts.save(account, said, messages.Message.of(urgent) if urgent else None, along):
        return None
    new = [*([urgent] if urgent else ()), *(alert for alert in others if messages.add(messages.Message.of(alert)))]
    if latest is not None and dated:
        # The account first: the next night compares with what stands there.
        accounts.save_score(account, current)
        if latest.day == current.day:
            history.put_snapshot(account.account_id, current, replace=True)
    return current, new


def _score(account: Account, facts: Facts) -> Snapshot:
    return snapshot(assess(account.account_id, facts, (), None))


def _by_score(account: Account, current: Snapshot, settings: Settings) -> list[Alert]:
    """What the new score is worth telling, compared with the night before."""
    latest = account.latest
    earlier = latest is not None and latest.day < current.day
    previous = latest if earlier else history.snapshot_before(account.account_id, current.day)
    return alerts_of(account, previous, current, settings.alerts) if previous else []


def _tickets(account: Account, said: CrmFacts, facts: Facts, current: Snapshot, settings: Settings) -> Alert | None:
    """The alert on tickets that were opened, unless that is no change, or switched off."""
    before = account.crm
    if before is None or not settings.alerts.ticket_opened.enabled or not tickets_opened(before, said):
        return None
    then = _score(account, replace(facts, crm=before))
    since = day_of(before.received_at, settings.zone)
    opened = render_tickets(subject(account), before, since, then, current)
    return None if messages.known(account.account_id, opened.alert_id) else opened


def _merged(opened: Alert | None, found: Sequence[Alert]) -> tuple[Alert | None, list[Alert]]:
    """One message where tickets and a drop of the score are told at the same moment; and what is told beside it."""
    if opened is None:
        return None, list(found)
    for alert in found:
        if alert.kind in DROPS and not messages.known(alert.account_id, alert.alert_id):
            return with_tickets(alert, opened), [other for other in found if other is not alert]
    return opened, list(found)
