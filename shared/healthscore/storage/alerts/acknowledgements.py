"""What people say about alerts: found by the alert's id alone, kept with the alert and with its account.

The account's item holds what was said last, for the night to read with everything else; the alert holds what was said
about it, for people to see. Both are written in one transaction, and both go when the account is erased.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.storage import schema
from healthscore.storage.accounts import account_item
from healthscore.storage.alerts.messages import stored_message
from healthscore.storage.client import call, dynamodb

if TYPE_CHECKING:
    from healthscore.core.alerts.acknowledgement import Acknowledgement
    from healthscore.storage.alerts.messages import Message

_BEGINS_WITH_DAY = re.compile(r"(\d{4}-\d\d-\d\d)-", re.ASCII)


def find(alert_id: str) -> Message | None:
    """The alert of an account with this id, or None.

    An id begins with its day, so the index of the alerts of a day leads to it; it lags by less than a second.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    day = _day(alert_id)
    if day is None:
        return None
    _, sk = schema.message_key("", alert_id)
    found = call(
        dynamodb().query,
        TableName=schema.history_table(),
        IndexName="by-day",
        KeyConditionExpression="alert_day = :day AND sk = :sk",
        ExpressionAttributeValues={":day": {"S": day.isoformat()}, ":sk": {"S": sk}},
        Limit=1,
    )["Items"]
    if not found:
        return None
    read = call(
        dynamodb().query,
        TableName=schema.history_table(),
        KeyConditionExpression="pk = :pk AND sk = :sk",
        ExpressionAttributeValues={":pk": found[0]["pk"], ":sk": {"S": sk}},
        ConsistentRead=True,
    )["Items"]
    return stored_message(read[0]) if read else None


def _day(alert_id: str) -> date | None:
    begins = _BEGINS_WITH_DAY.match(alert_id)
    try:
        return date.fromisoformat(begins[1]) if begins else None
    except ValueError:
        return None


def keep(account_id: str, acknowledgement: Acknowledgement) -> None:
    """Keep what somebody said about an alert, in the place of what was said before.

    Raises:
        ConditionFailedError: the account or the alert is gone, or somebody writes at the same moment: read again.
        StorageUnavailableError: it is not known whether it is kept.
    """
    said = {"S": json.dumps(acknowledgement.to_json(), ensure_ascii=False, separators=(",", ":"))}
    pk, sk = schema.message_key(account_id, acknowledgement.alert_id)
    updates: list[Any] = [
        {
            "TableName": schema.accounts_table(),
            "Key": {"account_id": {"S": account_id}},
            "UpdateExpression": f"SET {account_item.ACKNOWLEDGEMENT} = :said",
            "ConditionExpression": f"attribute_exists(account_id) AND {schema.NOT_ERASING}",
            "ExpressionAttributeValues": {":said": said},
        },
        {
            "TableName": schema.history_table(),
            "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "UpdateExpression": "SET handling = :said",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":said": said},
        },
    ]
    call(dynamodb().transact_write_items, TransactItems=[{"Update": update} for update in updates])
