"""Nightly runs (table Settings): what each scores as of, what it came to, and what its workers have counted."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.timeline import format_instant, parse_instant
from healthscore.storage import keys
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_RUN = {"S": "run"}
_PARTS = "part#"


def accounts_about() -> int:
    """About how many accounts there are: DynamoDB counts a table's items every six hours.

    Raises:
        StorageUnavailableError: the table cannot be asked now.
    """
    return call(dynamodb().describe_table, TableName=keys.accounts_table())["Table"]["ItemCount"]


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
            TableName=keys.settings_table(),
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
        )
    except ConditionFailedError:
        answer = call(dynamodb().get_item, TableName=keys.settings_table(), Key=_run_key(day), ConsistentRead=True)
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
        TableName=keys.settings_table(),
        Key=_run_key(day),
        UpdateExpression="SET #result = :result",
        ExpressionAttributeNames={"#result": "result"},
        ExpressionAttributeValues={":result": {"S": json.dumps(result, separators=(",", ":"))}},
    )


def judge_run(day: date, *, held: bool) -> bool:
    """Keep whether a day's alerts about accounts that are out of sight stay held; the first judgement stands.

    Returns:
        The judgement that stands.

    Raises:
        StorageUnavailableError: not kept.
    """
    answer = call(
        dynamodb().update_item,
        TableName=keys.settings_table(),
        Key=_run_key(day),
        UpdateExpression="SET held = if_not_exists(held, :held)",
        ExpressionAttributeValues={":held": {"BOOL": held}},
        ReturnValues="ALL_NEW",
    )
    return answer["Attributes"]["held"]["BOOL"]


def judgements(first: date) -> dict[date, bool]:
    """Which runs held alerts back, by day, oldest first; of `first` and later days, and of judged runs only.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().query,
        TableName=keys.settings_table(),
        KeyConditionExpression="pk = :pk AND sk >= :first",
        ExpressionAttributeValues={":pk": _RUN, ":first": {"S": first.isoformat()}},
        ConsistentRead=True,
    )
    return {date.fromisoformat(item["sk"]["S"]): item["held"]["BOOL"] for item in items if "held" in item}


def put_part(run: str, segment: int, chunk: int, tally: dict[str, Any], expires: datetime) -> None:
    """Keep what one worker of a run has counted, for the run's end to add up; the same part again takes its place.

    Args:
        run: names the run, unlike any other.
        segment: which part of the accounts.
        chunk: the how-many-th worker on that part, from 0.
        tally: JSON values.
        expires: when it may go.

    Raises:
        StorageUnavailableError: not kept.
    """
    call(
        dynamodb().put_item,
        TableName=keys.settings_table(),
        Item={
            "pk": {"S": f"{_PARTS}{run}"},
            "sk": {"S": f"{segment:06d}#{chunk:06d}"},
            "tally": {"S": json.dumps(tally, ensure_ascii=False, separators=(",", ":"))},
            "ttl": {"N": str(int(expires.timestamp()))},
        },
    )


def parts(run: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Segment, chunk and tally of what the workers of a run have counted, in that order, read page by page.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().query,
        TableName=keys.settings_table(),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{_PARTS}{run}"}},
        ConsistentRead=True,
    )
    for item in items:
        segment, chunk = map(int, item["sk"]["S"].split("#"))
        yield segment, chunk, json.loads(item["tally"]["S"])


def _run_key(day: date) -> dict[str, Any]:
    return {"pk": _RUN, "sk": {"S": day.isoformat()}}
