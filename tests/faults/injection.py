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
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tools.local.aws import SENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    import pytest

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}
_ANYWHERE = ("throttled", "server error", "timed out", "not connected", "answer lost", "killed before", "killed after")
KINDS = {*_ANYWHERE, "conflict", "partial read", "partial write"}
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
        self.share = share
        self._here = threading.local()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Faults meet the requests of this thread inside: a process that lives until it is done, or killed."""
        self._here.active, self._here.dead = True, False
        try:
            yield
        finally:
            self._here.active = self._here.dead = False

    def attach(self, client: Any, service: str) -> None:
        """Befall the requests of a client."""
        events = client.meta.events
        events.register(f"before-parameter-build.{service}", self._have_sent)
        events.register_first(f"before-send.{service}", self._before_send)
        events.register_last(f"before-send.{service}", self._after_send)
        events.register(f"before-parameter-build.{service}.BatchGetItem", self._note_request)
        events.register(f"after-call.{service}.BatchGetItem", self._leave_unread)
        events.register(f"before-parameter-build.{service}.BatchWriteItem", self._hold_back)
        events.register(f"before-call.{service}.BatchWriteItem", self._write_nothing)
        events.register(f"after-call.{service}.BatchWriteItem", self._leave_unwritten)

    def _have_sent(self, context: dict[str, Any], **_: object) -> None:
        """Have requests made that can be failed, while faults are at work."""
        if hasattr(self._here, "active"):
            context[SENT] = True

    def _kill(self) -> NoReturn:
        self._here.dead = True
        raise Killed

    def _before_send(self, request: Any, event_name: str, **_: object) -> AWSResponse | None:
        if getattr(self._here, "dead", False):
            raise Killed  # in a pool, the others of the same process
        operation = event_name.rpartition(".")[2]
        fate = self._here.fate = self._draw(operation, request.body)
        if fate is not None:
            self.done[fate] += 1
        match fate:
            case "killed before":
                self._kill()
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
                self._kill()
            case "answer lost":
                raise ReadTimeoutError(endpoint_url=request.url)

    def _draw(self, operation: str, body: bytes) -> str | None:
        if not getattr(self._here, "active", False) or self._random.random() >= self.share:
            return None
        fates = list(_ANYWHERE)
        if operation in WRITES:
            fates += ["answer lost", "killed after"]
            # No transaction touches these items, and each delete of a batch write stands for itself.
            if operation != "BatchWriteItem" and os.environ["SETTINGS_TABLE"].encode() not in body:
                fates += ["conflict"]
        if operation == "BatchGetItem":
            fates += ["partial read"] * 3
        return self._random.choice(fates)

    def _note_request(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["asked"] = copy.deepcopy(params["RequestItems"])

    def _leave_unread(self, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        """Leave half of a batch's keys unprocessed."""
        if getattr(self._here, "fate", None) != "partial read":
            return
        for table, asked in context["asked"].items():
            left = [key for key in asked["Keys"] if self._random.random() < 0.5]
            if left:
                parsed.setdefault("UnprocessedKeys", {})[table] = {**asked, "Keys": left}
                items = parsed["Responses"].get(table, [])
                parsed["Responses"][table] = [item for item in items if not _is_one_of(item, left)]

    def _hold_back(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        """Keep half of a batch's writes from being made."""
        if not getattr(self._here, "active", False) or self._random.random() >= self.share:
            return
        self.done["partial write"] += 1
        kept: dict[str, Any] = {}
        context["held back"] = held = {}
        for table, writes in params["RequestItems"].items():
            for write in writes:
                (held if self._random.random() < 0.5 else kept).setdefault(table, []).append(write)
        if kept:
            params["RequestItems"] = kept
        else:
            context["nothing written"] = True

    def _write_nothing(self, context: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
        """Answer in the service's stead where all of a batch is held back."""
        return (SimpleNamespace(status_code=200), {}) if "nothing written" in context else None

    def _leave_unwritten(self, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if "held back" in context and "Error" not in parsed:
            parsed["UnprocessedItems"] = context["held back"]


def _is_one_of(item: dict[str, Any], keys: list[dict[str, Any]]) -> bool:
    """Whether an item has one of the keys, as far as the request asks for the keys' attributes."""
    return any(all(item.get(name, value) == value for name, value in key.items()) for key in keys)


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


def with_tokens_from(patch: pytest.MonkeyPatch, random: Random) -> None:
    """Draw the tokens of heads and blocks, and the strangers in the place of erased users, from a seed.

    Items lie in the order of their keys, so these decide what is read and deleted in which order.
    """
    tokens = SimpleNamespace(
        token_bytes=random.randbytes, token_urlsafe=lambda n: random.randbytes(n).hex(), randbits=random.getrandbits
    )
    for module in (
        "day_logs.commit_day",
        "day_logs.commit_shard",
        "day_logs.transaction",
        "erasure.pseudonymise",
        "people.ids",
    ):
        patch.setattr(f"healthscore.storage.{module}.secrets", tokens)

    def strangers() -> UUID:
        return UUID(int=random.getrandbits(128), version=4)

    patch.setattr("healthscore.storage.erasure.pseudonymise.uuid4", strangers)


def without_waiting(patch: pytest.MonkeyPatch, random: Random) -> None:
    """Let neither the SDK nor the product wait between attempts; how long they would have is drawn from `random`."""
    no_time = SimpleNamespace(sleep=lambda seconds: None)
    patch.setattr("botocore.endpoint.time", no_time)
    patch.setattr("healthscore.storage.retries.time", no_time)
    patch.setattr("healthscore.storage.retries.random", random)
