"""Records the AWS calls of the functions as the permissions that they need."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3

from tests.template import s3_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Permission = tuple[str, str]
"""An action and its resource: `("dynamodb:Query", "HistoryTable/index/pending")`, `("s3:GetObject", "Bucket/x/*")`."""


class Calls:
    """Records the calls that a function makes."""

    def __init__(self, logical_ids: Mapping[str, str]) -> None:
        """Create it with the logical ids of tables, buckets and topics by name or ARN."""
        self.made: defaultdict[str, set[Permission]] = defaultdict(set)
        self.partitions: defaultdict[str, set[tuple[str, str, str]]] = defaultdict(set)
        """By function: action, resource and partition of each item that a call reads or writes."""
        self._logical_ids = logical_ids
        self._function: str | None = None

    def know(self, logical_ids: Mapping[str, str]) -> None:
        """Add further logical ids."""
        self._logical_ids = {**self._logical_ids, **logical_ids}

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Record the calls of all clients that are created from now on."""
        boto3.setup_default_session()
        events = boto3.DEFAULT_SESSION.events
        events.register("before-parameter-build", self._note)
        try:
            yield
        finally:
            events.unregister("before-parameter-build", self._note)

    def by(self, invoke: Callable[[str, str], str]) -> Callable[[str, str], str]:
        """An `invoke` that records the calls under the name of its function."""

        def invoking(function: str, event: str) -> str:
            self._function = function
            try:
                return invoke(function, event)
            finally:
                self._function = None

        return invoking

    def _note(self, params: dict[str, Any], model: Any, **_: object) -> None:
        if self._function is not None:
            service = model.service_model.service_name
            if service == "s3":
                calls = s3_calls.actions(model.name, params)
                self.made[self._function].update((f"s3:{action}", self._resource(place)) for action, place in calls)
                return
            for action, target, keys in _actions(model.name, params):
                permission = (f"{service}:{action}", self._resource(target))
                self.made[self._function].add(permission)
                self.partitions[self._function].update((*permission, key["pk"]["S"]) for key in keys if "pk" in key)

    def _resource(self, target: str) -> str:
        if target in self._logical_ids:
            return self._logical_ids[target]
        name, slash, index = target.partition("/")
        return self._logical_ids[name] + slash + index


def _actions(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """The actions that a call needs permission for, which may differ from its name; their targets, and keys of items.

    A transaction needs the permissions of its writes, and none of its own. A batch of messages needs the permission to
    publish one.
    """
    if operation == "TransactWriteItems":
        for write in params["TransactItems"]:
            ((kind, item),) = write.items()
            yield f"{kind}Item", item["TableName"], _keys(item)
    elif operation == "PublishBatch":
        yield "Publish", params["TopicArn"], []
    elif operation == "BatchGetItem":
        yield from ((operation, table, asked["Keys"]) for table, asked in params["RequestItems"].items())
    elif operation == "BatchWriteItem":
        for table, requests in params["RequestItems"].items():
            yield operation, table, [key for request in requests for one in request.values() for key in _keys(one)]
    elif named := next((params[name] for name in ("TopicArn", "SecretId", "QueueUrl") if name in params), None):
        yield operation, named, []
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield operation, params["TableName"] + index, [] if index else _keys(params)


def _keys(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The key of the item that a request is about, or of a queried partition; none for a scan."""
    if "KeyConditionExpression" in request:
        return [{"pk": request["ExpressionAttributeValues"][":pk"]}]
    return [request[name] for name in ("Key", "Item") if name in request]
