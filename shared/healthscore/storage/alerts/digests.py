"""The nights' digests (table History). They name accounts, whose ids stand beside the text, for erasures to find."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.model import Alert
from healthscore.core.nightly.digest import without_names
from healthscore.storage import schema
from healthscore.storage.accounts import existence
from healthscore.storage.alerts import messages
from healthscore.storage.client import call, dynamodb, pages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def add(alert: Alert, named: Collection[str]) -> None:
    """Store a digest to be sent, unless that of the same night was stored before.

    Args:
        alert: the digest.
        named: the accounts that it names.

    Raises:
        ConditionFailedError: one of these accounts is gone, or being erased; or somebody else stored it just now.
        StorageUnavailableError: not stored.
    """
    if messages.known(None, alert.alert_id):
        return
    put = messages.put_request(messages.Message.of(alert))
    if named:
        put["Item"]["named"] = {"SS": sorted(named)}
    call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, *existence.checks(sorted(named))])


def forget(account_id: str) -> None:
    """Take the names out of the digests that name an account; what else they say stays, and whether they were sent.

    They are not deleted: a night that is run again would take its digest for one that was never stored, and send it.

    Raises:
        StorageUnavailableError: it may still be named.
    """
    for item in _naming(account_id):
        nameless = without_names(Alert.from_json(json.loads(item["message"]["S"])))
        call(
            dynamodb().update_item,
            TableName=schema.history_table(),
            Key={name: item[name] for name in ("pk", "sk")},
            UpdateExpression="SET message = :message REMOVE named",
            ExpressionAttributeValues={":message": {"S": json.dumps(nameless.to_json(), ensure_ascii=False)}},
        )


def _naming(account_id: str) -> Iterator[dict[str, Any]]:
    pk, first, last = schema.digest_range()
    return pages(
        dynamodb().query,
        TableName=schema.history_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        FilterExpression="contains(named, :account)",
        ExpressionAttributeValues={
            ":pk": {"S": pk},
            ":first": {"S": first},
            ":last": {"S": last},
            ":account": {"S": account_id},
        },
        ConsistentRead=True,
    )
