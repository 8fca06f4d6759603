"""Taking people out of accounts: where they belonged, and who they are once they belong nowhere (table Activity)."""

from __future__ import annotations

import contextlib
import json
import secrets
from typing import Any

from healthscore.storage import keys
from healthscore.storage.batches import batch_delete
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.patience import Patience


def leave(person: str, account_id: str) -> None:
    """Note that a person never belonged to an account; what is kept of one who belongs to no other is deleted.

    The account's own note of the person goes last, so that it leads here again after an interruption.

    Raises:
        StorageUnavailableError: something is left.
    """
    patience = Patience("too many writers at once for one person")
    while True:
        item = _member(person)
        stays = [stay for stay in json.loads(item["m"]["S"]) if stay[1] != account_id] if "m" in item else []
        if not stays:
            _delete_person(person)
            break
        with contextlib.suppress(ConditionFailedError):
            _save(item, "m", stays)
            break
        patience.wait()
    batch_delete(keys.activity_table(), [_key(keys.activity_pk(account_id), keys.member_key(person))])


def _delete_person(person: str) -> None:
    """Delete everything under a person's ids: traits, links, and the log of events that no account is known for."""
    for item in _partition(person):
        sk = item["sk"]["S"]
        if sk.startswith(keys.ALIASES_PREFIX):
            _unlink(sk.removeprefix(keys.ALIASES_PREFIX), person)
        elif sk == keys.MEMBER and "l" in item:
            for user in json.loads(item["l"]["S"]):
                batch_delete(keys.activity_table(), [_key(keys.person_pk(user), keys.alias_key(person))])
    batch_delete(keys.activity_table(), [_key(item["pk"]["S"], item["sk"]["S"]) for item in _partition(person)])


def _unlink(other: str, user: str) -> None:
    """Have another id of a user not lead to that user any more."""
    patience = Patience("too many writers at once for one person")
    while True:
        item = _member(other)
        if "l" not in item:
            return
        links = [linked for linked in json.loads(item["l"]["S"]) if linked != user]
        with contextlib.suppress(ConditionFailedError):
            _save(item, "l", links)
            return
        patience.wait()


def _partition(person: str) -> list[dict[str, Any]]:
    items = pages(
        dynamodb().query,
        TableName=keys.activity_table(),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.person_pk(person)}},
        ProjectionExpression="pk, sk, l",
        ConsistentRead=True,
    )
    return list(items)


def _member(person: str) -> dict[str, Any]:
    key = _key(keys.person_pk(person), keys.MEMBER)
    return call(dynamodb().get_item, TableName=keys.activity_table(), Key=key, ConsistentRead=True).get("Item", {})


def _save(item: dict[str, Any], name: str, value: list[Any]) -> None:
    text = {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}
    call(
        dynamodb().put_item,
        TableName=keys.activity_table(),
        Item={**item, name: text, "v": {"S": secrets.token_urlsafe(8)}},
        ConditionExpression="v = :read",
        ExpressionAttributeValues={":read": item["v"]},
    )


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
