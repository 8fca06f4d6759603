"""What a connected CRM says of an account (tables Accounts and History), and the alert that it gives rise to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.documents import crm_to_json
from healthscore.storage import cards, keys, messages
from healthscore.storage.client import call, dynamodb
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.model import CrmFacts
    from healthscore.storage.account_item import Account
    from healthscore.storage.messages import Message


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
    line = cards.of_contract(account.account_id, account.profile, facts)
    update: dict[str, Any] = {
        "TableName": keys.accounts_table(),
        "Key": {"account_id": {"S": account.account_id}},
        "UpdateExpression": f"SET crm = :crm, {cards.WHO} = :who, by_arr = :by_arr",
        "ConditionExpression": f"attribute_exists(account_id) AND {keys.NOT_ERASING}",
        "ExpressionAttributeValues": {":crm": _text(facts), ":who": line[cards.WHO], ":by_arr": line["by_arr"]},
    }
    read = {cards.WHO: account.who, "crm": None if account.crm is None else _text(account.crm)["S"]}
    for name, text in read.items():
        if text is None:
            update["ConditionExpression"] += f" AND attribute_not_exists({name})"
        else:
            update["ConditionExpression"] += f" AND {name} = :read_{name}"
            update["ExpressionAttributeValues"][f":read_{name}"] = {"S": text}
    copy = {
        "pk": {"S": keys.account_history(account.account_id)},
        "sk": {"S": keys.crm_key(facts.received_at)},
        "crm": _text(facts),
    }
    items: list[Any] = [{"Update": update}, {"Put": {"TableName": keys.history_table(), "Item": copy}}, *along]
    if message is not None:
        items.append({"Put": messages.put_request(message)})
    try:
        call(dynamodb().transact_write_items, TransactItems=items)
    except ConditionFailedError:
        return False
    return True


def _text(facts: CrmFacts) -> dict[str, str]:
    return {"S": json.dumps(crm_to_json(facts), ensure_ascii=False, separators=(",", ":"))}
