"""Writes as values: put, update, delete and check, to be made by a call of their own or in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from healthscore.storage import codec, conditions
from healthscore.storage.client import call, dynamodb
from healthscore.storage.retries import attempts
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthscore.storage.codec import Attribute, Item
    from healthscore.storage.conditions import Condition

_AT_ONCE = 25
_CALLS = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}


@dataclass(frozen=True, slots=True)
class Write:
    """One write, or one check of a transaction."""

    kind: Literal["Put", "Update", "Delete", "ConditionCheck"]
    parameters: dict[str, Any]
    """What DynamoDB's API takes for it."""
    of_bytes: int = 0
    """Size of the item that a check is about, where it may be large."""

    @property
    def size(self) -> int:
        """What it adds to the size of a transaction, as far as that may be much: bytes of what is put or checked."""
        item = self.parameters.get("Item", {})
        return self.of_bytes + sum(len(name) + codec.size_of(value) for name, value in item.items())


def put(table: str, item: Item, *holds: Condition) -> Write:
    """Put an item in the place of the one that is there, if conditions hold for that one."""
    return Write("Put", _parameters(table, {"Item": item}, holds))


def delete(table: str, key: Item, *holds: Condition) -> Write:
    """Delete an item, if conditions hold for it."""
    return Write("Delete", _parameters(table, {"Key": key}, holds))


def check(table: str, key: Item, *holds: Condition, of_bytes: int = 0) -> Write:
    """Write nothing, but have the transaction fail unless conditions hold for an item of so many bytes."""
    return Write("ConditionCheck", _parameters(table, {"Key": key}, holds), of_bytes)


def update(
    table: str,
    key: Item,
    *holds: Condition,
    sets: Mapping[str, Attribute] | None = None,
    defaults: Mapping[str, Attribute] | None = None,
    removes: Iterable[str] = (),
    adds: Mapping[str, Attribute] | None = None,
    takes: Mapping[str, Attribute] | None = None,
) -> Write:
    """Change attributes of an item, if conditions hold for it; an item that is not there is made.

    Args:
        table: the table.
        key: the item's key.
        holds: the conditions.
        sets: attributes to set.
        defaults: attributes to set where the item does not have them.
        removes: attributes to remove.
        adds: elements to add to attributes that are sets.
        takes: elements to take out of attributes that are sets.
    """
    sets, defaults, adds, takes = sets or {}, defaults or {}, adds or {}, takes or {}
    removes = tuple(removes)
    assignments = [f"#{name} = :{name}" for name in sets]
    assignments += [f"#{name} = if_not_exists(#{name}, :{name})" for name in defaults]
    clauses = {
        "SET": assignments,
        "REMOVE": [f"#{name}" for name in removes],
        "ADD": [f"#{name} :{name}" for name in adds],
        "DELETE": [f"#{name} :{name}" for name in takes],
    }
    expression = " ".join(f"{word} {', '.join(parts)}" for word, parts in clauses.items() if parts)
    values = {**sets, **defaults, **adds, **takes}
    request = {"Key": key, "UpdateExpression": expression}
    return Write(
        "Update",
        _parameters(table, request, holds, (*values, *removes), {f":{name}": value for name, value in values.items()}),
    )


def apply(*writes: Write) -> None:
    """Make one write by a call of its own; several in one transaction.

    Raises:
        ConditionFailedError: a condition did not hold, or another transaction was in the way; nothing is written.
        StorageUnavailableError: it is not known whether anything is written.
    """
    if len(writes) > 1:
        transact(*writes)
    else:
        (only,) = writes
        call(getattr(dynamodb(), _CALLS[only.kind]), **only.parameters)


def transact(*writes: Write) -> None:
    """Make writes in one transaction: all or none. Raises as `apply` does."""
    call(dynamodb().transact_write_items, TransactItems=[{write.kind: write.parameters} for write in writes])


def apply_each(writes: Sequence[Write]) -> None:
    """Make writes side by side, each by a call of its own.

    Raises:
        ConditionFailedError: a condition did not hold; the others may be written.
        StorageUnavailableError: it is not known what is written.
    """
    side_by_side(apply, writes)


def updated(change: Write) -> Item:
    """Make an update; answers the whole item after it. Raises as `apply` does."""
    item: Item = call(dynamodb().update_item, **change.parameters, ReturnValues="ALL_NEW")["Attributes"]
    return item


def put_all(table: str, items: Sequence[Item]) -> None:
    """Put items of a table, each key once, in the place of those that are there.

    Raises:
        StorageUnavailableError: some may not be put.
    """
    _batches([{"PutRequest": {"Item": item}} for item in items], table)


def delete_all(table: str, keys: Sequence[Item]) -> None:
    """Delete items of a table by their keys, each once; those that are not there do no harm.

    Raises:
        StorageUnavailableError: some may be left.
    """
    _batches([{"DeleteRequest": {"Key": key}} for key in keys], table)


def _batches(requests: Sequence[dict[str, Any]], table: str) -> None:
    batches = [requests[start : start + _AT_ONCE] for start in range(0, len(requests), _AT_ONCE)]
    side_by_side(partial(_batch, table=table), batches)


def _batch(requests: Sequence[dict[str, Any]], table: str) -> None:
    request: Any = {table: list(requests)}
    for _ in attempts("writes stay unprocessed"):
        request = call(dynamodb().batch_write_item, RequestItems=request).get("UnprocessedItems")
        if not request:
            break


def _parameters(
    table: str,
    request: dict[str, Any],
    holds: Sequence[Condition],
    names: Iterable[str] = (),
    values: Mapping[str, Attribute] | None = None,
) -> dict[str, Any]:
    parameters = {"TableName": table, **request}
    named, compared = {f"#{name}": name for name in names}, dict(values or {})
    if holds:
        condition = holds[0] if len(holds) == 1 else conditions.all_of(*holds)
        parameters["ConditionExpression"] = condition.expression
        named |= {f"#{name}": name for name in condition.names}
        compared |= condition.values
    if named:
        parameters["ExpressionAttributeNames"] = named
    if compared:
        parameters["ExpressionAttributeValues"] = compared
    return parameters
