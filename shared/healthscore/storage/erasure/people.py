"""Taking people out of accounts: where they belonged, and who they are once they belong nowhere (table Activity)."""

from __future__ import annotations

import contextlib
import json
import secrets
from typing import Any

from healthscore.storage import schema
from healthscore.storage.batches import batch_delete
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.people import pending_moves
from healthscore.storage.retries import Backoff


def leave(person: str, account_id: str, *, for_good: bool = False) -> None:
    """Note that a person never belonged to an account; what is kept of one who belongs to no other is deleted.

    One who is known as somebody else as well, as a visitor is who signed in, memberships for that one's sake, and goes
    with them. The account's own note of the person goes last, so that it leads here again after an interruption.

    Args:
        person: the person, as in `core.day_log.codec.Entry`.
        account_id: the account.
        for_good: whether the person goes all the same who is known as somebody else.

    Raises:
        StorageUnavailableError: something is left.
    """
    patience = Backoff("too many writers at once for one person")
    while True:
        item = _member(person)
        memberships = _list(item, "m")
        kept = [membership for membership in memberships if membership[1] != account_id]
        with contextlib.suppress(ConditionFailedError):
            links = _list(item, "l")
            if not kept and (for_good or not links):
                batch_delete(
                    schema.activity_table(), [_key(schema.person_pk(user), schema.alias_key(person)) for user in links]
                )
                _delete_person(person, item)
            elif kept != memberships:
                _save(item, "m", kept)
            break
        patience.wait()
    batch_delete(schema.activity_table(), [_key(schema.activity_pk(account_id), schema.member_key(person))])


def _delete_person(person: str, item: dict[str, Any]) -> None:
    """Delete everything under a person's id: traits, other ids, and the log of events that no account is known for.

    Other ids that lead nowhere else go with it, before what tells of them.

    Raises:
        ConditionFailedError: the person is not as read any more; nothing of it is deleted but its other ids.
    """
    batch_delete(schema.activity_table(), pending_moves.notes_of(person))
    for other in _partition(person):
        if other["sk"]["S"].startswith(schema.ALIASES_PREFIX):
            _unlink(other["sk"]["S"].removeprefix(schema.ALIASES_PREFIX), person)
    if item:
        call(
            dynamodb().delete_item,
            TableName=schema.activity_table(),
            Key=_key(schema.person_pk(person), schema.MEMBER),
            ConditionExpression="v = :read",
            ExpressionAttributeValues={":read": item["v"]},
        )
    batch_delete(schema.activity_table(), _partition(person))


def _unlink(other: str, user: str) -> None:
    """Have another id of a user not lead to that user any more; it goes where it leads nowhere else."""
    patience = Backoff("too many writers at once for one person")
    while True:
        item = _member(other)
        links = _list(item, "l")
        kept = [linked for linked in links if linked != user]
        with contextlib.suppress(ConditionFailedError):
            if not kept and not _list(item, "m"):
                _delete_person(other, item)
            elif kept != links:
                _save(item, "l", kept)
            return
        patience.wait()


def _partition(person: str) -> list[dict[str, Any]]:
    items = pages(
        dynamodb().query,
        TableName=schema.activity_table(),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": schema.person_pk(person)}},
        ProjectionExpression="pk, sk",
        ConsistentRead=True,
    )
    return list(items)


def _member(person: str) -> dict[str, Any]:
    key = _key(schema.person_pk(person), schema.MEMBER)
    return call(dynamodb().get_item, TableName=schema.activity_table(), Key=key, ConsistentRead=True).get("Item", {})


def _list(item: dict[str, Any], name: str) -> list[Any]:
    """What a person's item says: memberships under `m`, links under `l`."""
    return list(json.loads(item[name]["S"])) if name in item else []


def _save(item: dict[str, Any], name: str, value: list[Any]) -> None:
    text = {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}
    call(
        dynamodb().put_item,
        TableName=schema.activity_table(),
        Item={**item, name: text, "v": {"S": secrets.token_urlsafe(8)}},
        ConditionExpression="v = :read",
        ExpressionAttributeValues={":read": item["v"]},
    )


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
