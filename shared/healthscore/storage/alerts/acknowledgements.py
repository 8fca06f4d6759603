"""Acknowledgements of alerts: found by the alert's id alone, kept with the alert and with its account.

The account's item holds the last one, for the night to read with everything else; the alert holds its own, for people
to see. Both are written in one transaction, and both go when the account is erased.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import changes
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
    alert = call(
        dynamodb().query, **reads.partition(schema.history_table(), codec.text_of(found[0], "pk"), between=(sk, sk))
    )["Items"]
    return stored_message(alert[0]) if alert else None


def _day(alert_id: str) -> date | None:
    begins = _BEGINS_WITH_DAY.match(alert_id)
    try:
        return date.fromisoformat(begins[1]) if begins else None
    except ValueError:
        return None


def keep(account_id: str, acknowledgement: Acknowledgement, alert_of: str) -> None:
    """Keep an acknowledgement of an alert, in the place of the one before.

    Args:
        account_id: the account.
        acknowledgement: the acknowledgement.
        alert_of: the id under which the alert is kept: the account's, or one that was given up for it.

    Raises:
        ConditionFailedError: the account or the alert is gone, or another write was in the way: read again.
        StorageUnavailableError: it is not known whether it is kept.
    """
    stored = codec.json_text(acknowledgement.to_json())
    writes.transact(
        changes.update(
            account_id, conditions.ACCOUNT_EXISTS, conditions.TAKES_WRITES, sets={schema.ACKNOWLEDGEMENT: stored}
        ),
        writes.update(
            schema.history_table(),
            codec.key(*schema.message_key(alert_of, acknowledgement.alert_id)),
            conditions.EXISTS,
            sets={"handling": stored},
        ),
    )
