"""The alerts topic behind a real SNS client: it accepts, refuses, or accepts and is not heard, as a seed has it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from healthscore.core.alerts import Alert
from healthscore.outbox import sns
from tests.faults.injection import NOWHERE, Killed

if TYPE_CHECKING:
    from collections import Counter
    from datetime import datetime
    from random import Random


class Topic:
    """What was published when, by the harness's clock."""

    def __init__(self, random: Random, share: float, done: Counter[str]) -> None:
        self.client = sns()
        self.now: datetime | None = None
        self.accepted: list[tuple[str, datetime | None]] = []
        self.share = share
        self._random = random
        self._done = done
        self.client.meta.events.register_first("before-send.sns.Publish", self._receive)

    def _receive(self, request: Any, **_: object) -> AWSResponse:
        fates = [
            "refused",
            "server error",
            "not connected",
            "timed out",
            "answer lost",
            "killed before",
            "killed after",
        ]
        fate = self._random.choice(fates) if self._random.random() < self.share else None
        if fate is not None:
            self._done[f"publish: {fate}"] += 1
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        request.url = NOWHERE
        match fate:
            case "not connected":
                raise ConnectTimeoutError(endpoint_url=NOWHERE)
            case "timed out":
                raise ReadTimeoutError(endpoint_url=NOWHERE)
            case "killed before":
                raise Killed
            case "refused":
                return _answer(400, "<ErrorResponse><Error><Code>Throttled</Code></Error></ErrorResponse>")
            case "server error":
                return _answer(500, "<ErrorResponse><Error><Code>InternalError</Code></Error></ErrorResponse>")
        message = json.loads(json.loads(parse_qs(body)["Message"][0])["default"])
        self.accepted.append((Alert.from_json(message).alert_id, self.now))
        if fate == "killed after":
            raise Killed
        if fate == "answer lost":
            raise ReadTimeoutError(endpoint_url=NOWHERE)
        return _answer(
            200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
        )

    def publish(self, **message: Any) -> None:
        """Publish as the outbox does."""
        self.client.publish(**message)


def _answer(status: int, body: str) -> AWSResponse:
    raw = SimpleNamespace(stream=lambda: iter([body.encode()]), read=lambda: b"")
    return AWSResponse(NOWHERE, status, {"content-type": "text/xml"}, raw)
