"""Reading and deleting many items by their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage.client import call, dynamodb
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BATCH = 100
_DELETES = 25


def batch_get(
    wanted: Sequence[tuple[str, dict[str, Any]]], shapes: Mapping[str, Mapping[str, Any]]
) -> list[tuple[str, dict[str, Any]]]:
    """Items by table and key; those that are not there are left out, and the order is any.

    Args:
        wanted: table name and key of each item, each once.
        shapes: by table name, what is read of its items and how: a projection, whether consistently.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    for start in range(0, len(wanted), _BATCH):
        request: dict[str, Any] = {}
        for table, key in wanted[start : start + _BATCH]:
            request.setdefault(table, {"Keys": [], **shapes.get(table, {})})["Keys"].append(key)
        patience = Backoff("keys stay unprocessed")
        while True:
            answer = call(dynamodb().batch_get_item, RequestItems=request)
            found.extend((table, item) for table, items in answer["Responses"].items() for item in items)
            request = dict(answer.get("UnprocessedKeys") or {})
            if not request:
                break
            patience.wait()
    return found


def batch_delete(table: str, keys: Sequence[dict[str, Any]]) -> None:
    """Delete items of a table by their keys, each once; those that are not there do no harm.

    Raises:
        StorageUnavailableError: some may be left.
    """
    for start in range(0, len(keys), _DELETES):
        request: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys[start : start + _DELETES]]}
        patience = Backoff("deletions stay unprocessed")
        while True:
            request = call(dynamodb().batch_write_item, RequestItems=request).get("UnprocessedItems")
            if not request:
                break
            patience.wait()
