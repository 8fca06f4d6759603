"""Nightly runs (table Settings): what each scores as of, what it came to, and what its workers have counted."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.time import format_instant, parse_instant
from healthscore.storage import schema
from healthscore.storage.accounts import existence
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_RUN = {"S": "run"}
_PART = {"S": "part"}


def accounts_about() -> int:
    """About how many accounts there are: DynamoDB counts a table's items every six hours.

    Raises:
        StorageUnavailableError: the table cannot be asked now.
    """
    return call(dynamodb().describe_table, TableName=schema.accounts_table())["Table"]["ItemCount"]


def start_run(day: date, as_of: datetime) -> datetime:
    """Pin the instant as of which a day's regular run scores.

    Returns:
        `as_of`, or the instant that an earlier start for the same day has pinned.

    Raises:
        StorageUnavailableError: not pinned.
    """
    item = {**_run_key(day), "as_of": {"S": format_instant(as_of)}}
    try:
        call(
            dynamodb().put_item,
            TableName=schema.settings_table(),
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
        )
    except ConditionFailedError:
        answer = call(dynamodb().get_item, TableName=schema.settings_table(), Key=_run_key(day), ConsistentRead=True)
        pinned = answer.get("Item")
        if pinned is None:
            raise StorageUnavailableError("a run is in between two states") from None
        return parse_instant(pinned["as_of"]["S"])
    return as_of


def finish_run(day: date, result: dict[str, Any]) -> None:
    """Keep what a day's regular run came to.

    Raises:
        StorageUnavailableError: not kept.
    """
    call(
        dynamodb().update_item,
        TableName=schema.settings_table(),
        Key=_run_key(day),
        UpdateExpression="SET #result = :result",
        ExpressionAttributeNames={"#result": "result"},
        ExpressionAttributeValues={":result": {"S": json.dumps(result, separators=(",", ":"))}},
    )


def record_outage(day: date, *, held: bool) -> bool:
    """Keep whether a day's alerts about accounts that are out of sight stay held; the first judgement stands.

    Returns:
        The judgement that stands.

    Raises:
        StorageUnavailableError: not kept.
    """
    answer = call(
        dynamodb().update_item,
        TableName=schema.settings_table(),
        Key=_run_key(day),
        UpdateExpression="SET held = if_not_exists(held, :held)",
        ExpressionAttributeValues={":held": {"BOOL": held}},
        ReturnValues="ALL_NEW",
    )
    return answer["Attributes"]["held"]["BOOL"]


def recorded_outages(first: date) -> dict[date, bool]:
    """Which runs held alerts back, by day, oldest first; of `first` and later days, and of judged runs only.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().query,
        TableName=schema.settings_table(),
        KeyConditionExpression="pk = :pk AND sk >= :first",
        ExpressionAttributeValues={":pk": _RUN, ":first": {"S": first.isoformat()}},
        ConsistentRead=True,
    )
    return {date.fromisoformat(item["sk"]["S"]): item["held"]["BOOL"] for item in items if "held" in item}


def put_worker_result(run: str, segment: int, chunk: int, totals: RunTotals, expires: datetime) -> None:
    """Keep what one worker of a run has counted, for the run's end to add up; the same part again takes its place.

    Args:
        run: names the run, unlike any other.
        segment: which part of the accounts.
        chunk: the how-many-th worker on that part, from 0.
        totals: what was counted.
        expires: when it may go.

    Raises:
        ConditionFailedError: an account that the totals names is gone, or being erased.
        StorageUnavailableError: not kept.
    """
    item: dict[str, Any] = {
        **_part_key(run, segment, chunk),
        "tally": {"S": _dumps(totals)},
        "ttl": {"N": str(int(expires.timestamp()))},
    }
    named = sorted(totals.named)
    if named:
        item["named"] = {"SS": named}
    put = {"Put": {"TableName": schema.settings_table(), "Item": item}}
    call(dynamodb().transact_write_items, TransactItems=[put, *existence.checks(named)])


def parts(run: str) -> Iterator[tuple[int, int, RunTotals]]:
    """Segment, chunk and totals of what the workers of a run have counted, in that order, read page by page.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for item in _parts("begins_with(sk, :run)", {":run": {"S": f"{run}#"}}):
        _, segment, chunk = item["sk"]["S"].rsplit("#", 2)
        yield int(segment), int(chunk), RunTotals.from_stored(json.loads(item["tally"]["S"]))


def forget(account_id: str) -> None:
    """Take an account's name out of what workers have counted, of all runs that are still kept; its figures stay.

    Raises:
        StorageUnavailableError: it may still be named.
    """
    for item in _parts("", {":account": {"S": account_id}}, FilterExpression="contains(named, :account)"):
        totals = RunTotals.from_stored(json.loads(item["tally"]["S"]))
        totals = totals.naming(totals.named - {account_id})
        with contextlib.suppress(ConditionFailedError):  # put again since, by a worker that knew of the erasure
            call(
                dynamodb().update_item,
                TableName=schema.settings_table(),
                Key={name: item[name] for name in ("pk", "sk")},
                UpdateExpression="SET tally = :totals DELETE named :accounts",
                ConditionExpression="tally = :read",
                ExpressionAttributeValues={
                    ":totals": {"S": _dumps(totals)},
                    ":accounts": {"SS": [account_id]},
                    ":read": item["tally"],
                },
            )


def _parts(condition: str, values: dict[str, Any], **more: str) -> Iterator[dict[str, Any]]:
    return pages(
        dynamodb().query,
        TableName=schema.settings_table(),
        KeyConditionExpression=" AND ".join(["pk = :pk", *filter(None, [condition])]),
        ExpressionAttributeValues={":pk": _PART, **values},
        ConsistentRead=True,
        **more,
    )


def _part_key(run: str, segment: int, chunk: int) -> dict[str, Any]:
    return {"pk": _PART, "sk": {"S": f"{run}#{segment:06d}#{chunk:06d}"}}


def _dumps(totals: RunTotals) -> str:
    return json.dumps(totals.stored(), ensure_ascii=False, separators=(",", ":"))


def _run_key(day: date) -> dict[str, Any]:
    return {"pk": _RUN, "sk": {"S": day.isoformat()}}
