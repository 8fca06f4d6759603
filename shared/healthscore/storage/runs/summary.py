"""The workspace in short, as the newest night left it (table Settings): one item, replaced by each night's end."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from healthscore.storage import schema
from healthscore.storage.accounts import existence
from healthscore.storage.client import call, dynamodb
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from datetime import date

_KEY = {"pk": {"S": "summary"}, "sk": {"S": "current"}}


def save(day: date, summary: dict[str, Any]) -> None:
    """Keep a night's summary, unless a later night's is there.

    Raises:
        ConditionFailedError: an account that moved is gone, or being erased; or somebody else saved just now.
        StorageUnavailableError: not kept.
    """
    there = _item()
    if there is not None and there["summary_day"]["S"] > day.isoformat():
        return
    put = {
        "TableName": schema.settings_table(),
        "Item": {**_KEY, "summary": _text(summary), "summary_day": {"S": day.isoformat()}},
        "ConditionExpression": "attribute_not_exists(pk) OR summary_day <= :day",
        "ExpressionAttributeValues": {":day": {"S": day.isoformat()}},
    }
    named = {mover["account_id"] for moved in summary["movers"].values() for mover in moved}
    call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, *existence.checks(sorted(named))])


def read() -> dict[str, Any] | None:
    """The newest night's summary; None before the first night.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    text = _stored()
    return None if text is None else dict(json.loads(text))


def forget(account_id: str) -> None:
    """Take an account out of the movers.

    Raises:
        StorageUnavailableError: it may still be among them.
    """
    patience = Backoff("too many writers at once for the summary")
    while True:
        text = _stored()
        if text is None:
            return
        summary = json.loads(text)
        movers = {
            way: [mover for mover in moved if mover["account_id"] != account_id]
            for way, moved in summary["movers"].items()
        }
        if movers == summary["movers"]:
            return
        with contextlib.suppress(ConditionFailedError):
            call(
                dynamodb().update_item,
                TableName=schema.settings_table(),
                Key=_KEY,
                UpdateExpression="SET summary = :summary",
                ConditionExpression="summary = :read",
                ExpressionAttributeValues={":summary": _text({**summary, "movers": movers}), ":read": {"S": text}},
            )
            return
        patience.wait()


def _stored() -> str | None:
    item = _item()
    return item["summary"]["S"] if item else None


def _item() -> dict[str, Any] | None:
    return call(dynamodb().get_item, TableName=schema.settings_table(), Key=_KEY, ConsistentRead=True).get("Item")


def _text(summary: dict[str, Any]) -> dict[str, str]:
    return {"S": json.dumps(summary, ensure_ascii=False, separators=(",", ":"))}
