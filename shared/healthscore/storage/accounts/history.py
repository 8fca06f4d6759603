"""What was known of each account when (table History): nightly snapshots, and CRM facts as they were received."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.documents import crm_from_json, snapshot_from_json, snapshot_to_json
from healthscore.core.time import DAY
from healthscore.storage import schema
from healthscore.storage.accounts.account_item import crm_text
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from healthscore.core.model import CrmFacts, Snapshot


def put_snapshot(account_id: str, snapshot: Snapshot, *, replace: bool) -> Snapshot:
    """Keep a night's snapshot.

    Args:
        account_id: the account.
        snapshot: what the night found.
        replace: whether it takes the place of one that is there; otherwise the first one stands.

    Returns:
        The snapshot that stands.

    Raises:
        StorageUnavailableError: not kept.
    """
    text = json.dumps(snapshot_to_json(snapshot), ensure_ascii=False, separators=(",", ":"))
    key = _snapshot_key(account_id, snapshot.day)
    put: dict[str, Any] = {"TableName": schema.history_table(), "Item": {**key, "snapshot": {"S": text}}}
    if not replace:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    try:
        call(dynamodb().put_item, **put)
    except ConditionFailedError:
        item = call(dynamodb().get_item, TableName=schema.history_table(), Key=key, ConsistentRead=True).get("Item")
        if item is None:
            raise StorageUnavailableError("a snapshot is in between two states") from None
        return _snapshot(item)
    return snapshot


def snapshots(account_id: str, first: date, last: date, *, consistent: bool = False) -> list[Snapshot]:
    """The snapshots of the days from `first` to `last`, oldest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = _between(account_id, schema.snapshot_key(first), schema.snapshot_key(last), consistent=consistent)
    return [_snapshot(item) for item in items]


def snapshot_before(account_id: str, day: date) -> Snapshot | None:
    """The newest snapshot of a day before `day`, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _newest(account_id, schema.snapshot_key(day.min), schema.snapshot_key(day - DAY))
    return _snapshot(item) if item else None


def put_crm(account_id: str, facts: CrmFacts) -> Any:  # noqa: ANN401  (a part of a transaction)
    """The part of a transaction that keeps a copy of CRM facts, for scores as of the past."""
    item = {
        "pk": {"S": schema.account_history(account_id)},
        "sk": {"S": schema.crm_key(facts.received_at)},
        "crm": {"S": crm_text(facts)},
    }
    return {"Put": {"TableName": schema.history_table(), "Item": item}}


def crm_as_of(account_id: str, at: datetime) -> CrmFacts | None:
    """The CRM facts that were the newest received at an instant, or None.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _newest(account_id, schema.CRM_FIRST, schema.crm_key(at))
    return crm_from_json(json.loads(item["crm"]["S"])) if item else None


def _snapshot_key(account_id: str, day: date) -> dict[str, Any]:
    return {"pk": {"S": schema.account_history(account_id)}, "sk": {"S": schema.snapshot_key(day)}}


def _snapshot(item: dict[str, Any]) -> Snapshot:
    return snapshot_from_json(json.loads(item["snapshot"]["S"]))


def _range(account_id: str, first: str, last: str) -> dict[str, Any]:
    return {
        "TableName": schema.history_table(),
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": schema.account_history(account_id)},
            ":first": {"S": first},
            ":last": {"S": last},
        },
    }


def _between(account_id: str, first: str, last: str, *, consistent: bool) -> Iterator[dict[str, Any]]:
    return pages(dynamodb().query, **_range(account_id, first, last), ConsistentRead=consistent)


def _newest(account_id: str, first: str, last: str) -> dict[str, Any] | None:
    page = call(
        dynamodb().query,
        **_range(account_id, first, last),
        ScanIndexForward=False,
        Limit=1,
        ConsistentRead=True,
    )
    return page["Items"][0] if page["Items"] else None
