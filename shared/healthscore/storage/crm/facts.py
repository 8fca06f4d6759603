"""What a connected CRM says of an account (tables Accounts and History), and the alert that it gives rise to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage.accounts import accounts, history, index
from healthscore.storage.accounts.account_item import crm_text
from healthscore.storage.alerts import messages
from healthscore.storage.client import call, dynamodb
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.account import Account
    from healthscore.core.model import CrmFacts
    from healthscore.storage.alerts.messages import Message


def save(account: Account, facts: CrmFacts, message: Message | None, along: Sequence[Any] = ()) -> bool:
    """Replace what the CRM says of an account, and its line in the book; creates no account.

    Facts, their copy in the history and the message are one transaction: whoever finds the facts entered need not tell
    of them, and nobody who dies on the way leaves a change that is never told. CRM and profile must still say what was
    read: the book shows both.

    Args:
        account: the account as it was read.
        facts: what takes the place of `account.crm`.
        message: what is told of the change; None for nothing.
        along: further writes of the transaction.

    Returns:
        False where facts or profile were changed meanwhile, the account is gone, the message was stored before, or
        what is written along finds something else than it expects: nothing is saved then.

    Raises:
        StorageUnavailableError: not known to be saved.
    """
    sets = {"crm": {"S": crm_text(facts)}, **index.contract_attributes(account.account_id, account.profile, facts)}
    read = {"crm": None if account.crm is None else crm_text(account.crm), index.SUMMARY: account.index_summary}
    update = accounts.update_request(account.account_id, sets, [], read, None)
    items: list[Any] = [{"Update": update}, history.put_crm(account.account_id, facts), *along]
    if message is not None:
        items.append({"Put": messages.put_request(message)})
    try:
        call(dynamodb().transact_write_items, TransactItems=items)
    except ConditionFailedError:
        return False
    return True
