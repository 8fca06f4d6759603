"""Faults at the AWS client, drawn from a seed: what a network, a service or the end of a process can do to any call.

The faults come in by botocore's own event hooks, below its retries: the product's code and the SDK's both meet them as
they would in production. Only requests of the threads that are `at work` are touched.
"""

from __future__ import annotations

import copy
import json
import os
import threading
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    import pytest

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
_ANYWHERE = ("throttled", "server error", "timed out", "not connected", "answer lost", "killed before", "killed after")
KINDS = {*_ANYWHERE, "conflict", "partial batch"}
"""What can happen to a request to DynamoDB."""
NOWHERE = "https://fault.invalid/"
"""Where refused requests are sent: the stand-in for AWS, asked after the hook, does not know it and stays silent."""


class Killed(BaseException):  # not an error: nothing may catch it
    """The process is gone."""


class Faults:
    """Draws a fault, or none, for each request; counts what it has done.

    Args:
        random: where the draws come from: the same seed and the same requests meet the same faults.
        share: the share of requests that meet one.
    """

    def __init__(self, random: Random, share: float) -> None:
        self.done: Counter[str] = Counter()
        self._random = random
        self._share = share
        self._here = threading.local()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Faults befall what this thread does inside."""
        self._here.active = True
        try:
            yield
        finally:
            self._here.active = False

    def attach(self, client: Any, service: str) -> None:
        """Befall the requests of a client."""
        events = client.meta.events
        events.register_first(f"before-send.{service}", self._before_send)
        events.register_last(f"before-send.{service}", self._after_send)
        events.register(f"before-parameter-build.{service}.BatchGetItem", self._note_request)
        events.register(f"after-call.{service}.BatchGetItem", self._leave_unprocessed)

    def _before_send(self, request: Any, event_name: str, **_: object) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        fate = self._here.fate = self._draw(operation, request.body)
        if fate is not None:
            self.done[fate] += 1
        match fate:
            case "killed before":
                raise Killed
            case "not connected":
                raise ConnectTimeoutError(endpoint_url=request.url)
            case "timed out":
                raise ReadTimeoutError(endpoint_url=request.url)
            case "throttled" | "server error" | "conflict":
                request.url = NOWHERE
                return _refusal(fate, operation)
        return None

    def _after_send(self, request: Any, **_: object) -> None:
        match getattr(self._here, "fate", None):
            case "killed after":
                raise Killed
            case "answer lost":
                raise ReadTimeoutError(endpoint_url=request.url)

    def _draw(self, operation: str, body: bytes) -> str | None:
        if not getattr(self._here, "active", False) or self._random.random() >= self._share:
            return None
        fates = list(_ANYWHERE)
        if operation in WRITES:
            fates += ["answer lost", "killed after"]
            if os.environ["SETTINGS_TABLE"].encode() not in body:  # no transaction touches these items
                fates += ["conflict"]
        if operation == "BatchGetItem":
            fates += ["partial batch"] * 3
        return self._random.choice(fates)

    def _note_request(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["asked"] = copy.deepcopy(params["RequestItems"])

    def _leave_unprocessed(self, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        """Leave half of a batch's keys unprocessed."""
        if getattr(self._here, "fate", None) != "partial batch":
            return
        for table, asked in context["asked"].items():
            left = [key for key in asked["Keys"] if self._random.random() < 0.5]
            if left:
                parsed.setdefault("UnprocessedKeys", {})[table] = {**asked, "Keys": left}
                items = parsed["Responses"].get(table, [])
                parsed["Responses"][table] = [
                    item for item in items if {name: item[name] for name in left[0]} not in left
                ]


def _refusal(fate: str, operation: str) -> AWSResponse:
    status, code = {
        "throttled": (400, "ProvisionedThroughputExceededException"),
        "server error": (500, "InternalServerError"),
        "conflict": (400, "TransactionConflictException"),
    }[fate]
    body: dict[str, Any] = {"message": fate}
    if fate == "conflict" and operation == "TransactWriteItems":
        code, body["CancellationReasons"] = "TransactionCanceledException", [{"Code": "TransactionConflict"}]
    body["__type"] = f"com.amazonaws.dynamodb.v20120810#{code}"
    raw = SimpleNamespace(stream=lambda: iter([json.dumps(body).encode()]), read=lambda: b"")
    headers = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse(NOWHERE, status, headers, raw)


def without_waiting(patch: pytest.MonkeyPatch) -> None:
    """Let neither the SDK nor the product wait between attempts."""
    no_time = SimpleNamespace(sleep=lambda seconds: None)
    patch.setattr("botocore.endpoint.time", no_time)
    patch.setattr("healthscore.storage.patience.time", no_time)
