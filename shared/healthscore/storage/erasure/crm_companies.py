"""Forgetting which companies of connected CRMs were an account that is erased (table Settings)."""

from __future__ import annotations

import json

from healthscore.storage import schema
from healthscore.storage.batches import batch_delete
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.crm import connections


def forget(account_id: str) -> None:
    """Forget the companies that are an account, or may be; the next reading of the CRM takes them for new ones.

    Raises:
        StorageUnavailableError: something may be left; calling again goes on.
    """
    for connection in connections.connections():
        companies = pages(
            dynamodb().query,
            TableName=schema.settings_table(),
            KeyConditionExpression="pk = :pk",
            FilterExpression="contains(#record, :named)",
            ProjectionExpression="sk",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={
                ":pk": {"S": f"crm#{connection.provider}#company"},
                ":named": {"S": json.dumps(account_id, ensure_ascii=False)},
            },
            ConsistentRead=True,
        )
        for company in companies:
            for part in ("unmatched", "company"):  # the company last: it leads here again after an interruption
                _delete(connection.provider, part, company["sk"]["S"])
        _delete(connection.provider, "claim", account_id)


def _delete(provider: str, part: str, sk: str) -> None:
    batch_delete(schema.settings_table(), [{"pk": {"S": f"crm#{provider}#{part}"}, "sk": {"S": sk}}])
