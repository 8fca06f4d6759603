"""Saves an account's CRM facts, with the alert that they give rise to (tables Accounts and History)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.signals.earlier_profiles import read_by_rules
from healthscore.core.time import millis
from healthscore.storage import codec, writes
from healthscore.storage.accounts import accounts, earlier_profiles, history
from healthscore.storage.accounts.account_item import crm_text
from healthscore.storage.alerts import messages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.account import Account
    from healthscore.core.model import CrmFacts
    from healthscore.storage.alerts.messages import Message
    from healthscore.storage.writes import Write


def save(account: Account, facts: CrmFacts, message: Message | None, along: Sequence[Write] = ()) -> bool:
    """Replace an account's CRM facts; creates no account.

    Facts, their copy in the history and the message are one transaction. So a process that finds the facts saved need
    not alert on them, and a crash on the way leaves no change without its alert.

    Args:
        account: the account as it was read.
        facts: what replaces `account.crm`.
        message: the alert on the change; None for none.
        along: further writes of the transaction.

    Returns:
        False where nothing was saved: the facts have changed since they were read, the account is gone, the
        message was stored before, or a condition of a write in `along` fails.

    Raises:
        StorageUnavailableError: it is not known whether it is saved.
    """
    before, after = (read_by_rules({}, churned=known.churned if known else None) for known in (account.crm, facts))
    noted, noted_before = earlier_profiles.set_between(
        account.earlier_profiles, before, after, millis(facts.received_at)
    )
    sets = {"crm": codec.text(crm_text(facts))} | noted
    read = {"crm": None if account.crm is None else crm_text(account.crm)} | noted_before
    update = accounts.update_account(account.account_id, sets, [], read, None)
    put_message = [] if message is None else [messages.put_new(message)]
    try:
        writes.transact(update, history.put_crm(account.account_id, facts), *along, *put_message)
    except ConditionFailedError:
        return False
    return True
