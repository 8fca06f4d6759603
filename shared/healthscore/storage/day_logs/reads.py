"""What has to be known of logs and their accounts before entries are committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.storage import schema as keys
from healthscore.storage.batches import batch_get
from healthscore.storage.day_logs.items import NO_HEAD, LogKey, StoredHead, stored_head
from healthscore.storage.errors import BeingErasedError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date


@dataclass(frozen=True, slots=True)
class Reading:
    """What a batch of entries needs to know before it is committed."""

    heads: dict[LogKey, StoredHead]
    """Heads that were asked for; for one that is not there, what it should begin as."""
    firsts: dict[str, str | None]
    """First-seen times of event names as stored, by the partition key of an account's logs; None where it has none."""

    def head(self, pk: str, day: date) -> StoredHead:
        """The head of a day, that of its first lane."""
        return self.heads[LogKey(pk, day)]


def read(logs: Collection[LogKey], pks: Collection[str]) -> Reading:
    """Read the heads of logs, and the first-seen times of those partitions that are accounts', a hundred items a call.

    Heads are read consistently, for fewer lost races; first-seen times need not be, since a stale one only makes the
    transaction it causes fail and be made again.

    Raises:
        StorageUnavailableError: the tables cannot be read now, or one of the accounts is being erased.
    """
    accounts = {account: pk for pk in pks if (account := keys.account_of(pk)) is not None}
    wanted = [
        (keys.activity_table(), {"pk": {"S": pk}, "sk": {"S": keys.day_key(day, lane)}}) for pk, day, lane in logs
    ]
    wanted += [(keys.accounts_table(), {"account_id": {"S": account}}) for account in sorted(accounts)]
    heads = dict.fromkeys(logs, NO_HEAD)
    firsts: dict[str, str | None] = dict.fromkeys(accounts.values())
    for table, item in batch_get(wanted, _shapes()):
        if table == keys.accounts_table():
            if keys.ERASING in item:
                raise BeingErasedError("an account of the batch is being erased")
            firsts[accounts[item["account_id"]["S"]]] = item["names"]["S"] if "names" in item else None
        else:
            key = LogKey(item["pk"]["S"], *keys.parse_day_key(item["sk"]["S"]))
            heads[key] = stored_head(key.day, item)
    return Reading(heads, firsts)


def _shapes() -> dict[str, dict[str, Any]]:
    account = {
        "ProjectionExpression": f"account_id, #names, {keys.ERASING}",
        "ExpressionAttributeNames": {"#names": "names"},
    }
    head = {"ProjectionExpression": "pk, sk, v, l", "ConsistentRead": True}
    return {keys.accounts_table(): account, keys.activity_table(): head}
