"""The alerts topic behind a real SNS client: it accepts, refuses, or accepts and is not heard, as a seed has it.

A batch meets its fate as a whole, or each of its messages meets one of its own.
"""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from healthscore.core.alerts.model import Alert
from healthscore.services.notifications.outbox import sns
from tests.faults.injection import NOWHERE, Killed

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from random import Random

WHOLE = ("refused", "server error", "not connected", "timed out", "answer lost", "killed before", "killed after")
PARTIAL = ("message refused", "message failed", "message failed yet accepted", "message unanswered")
"""What can become of one message of a batch that SNS takes: only the first is the sender's fault, and final."""
PARTIAL_KINDS = {f"publish: {fate}" for fate in PARTIAL}

_MESSAGE = re.compile(r"PublishBatchRequestEntries\.member\.(\d+)\.Message")


class Topic:
    """What was published when, by the harness's clock."""

    def __init__(self, random: Random, share: float, done: Counter[str]) -> None:
        self.client = sns()
        self.now: datetime | None = None
        self.accepted: list[tuple[str, datetime | None]] = []
        self.share = share
        self.out_of_order = False
        """Whether it refuses everything."""
        self._random = random
        self._done = done
        self.client.meta.events.register_first("before-send.sns.PublishBatch", self._receive)

    def publish_batch(self, **batch: Any) -> Any:
        """Publish as the outbox does."""
        return self.client.publish_batch(**batch)

    def _receive(self, request: Any, **_: object) -> AWSResponse:
        fate = "refused" if self.out_of_order else self._draw(WHOLE)
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
        answers: dict[str, list[str]] = {"Successful": [], "Failed": []}
        for entry_id, alert_id in _entries(request.body):
            self._take(entry_id, alert_id, answers)
        if fate == "killed after":
            raise Killed
        if fate == "answer lost":
            raise ReadTimeoutError(endpoint_url=NOWHERE)
        result = "".join(f"<{name}>{''.join(members)}</{name}>" for name, members in answers.items())
        return _answer(
            200, f"<PublishBatchResponse><PublishBatchResult>{result}</PublishBatchResult></PublishBatchResponse>"
        )

    def _take(self, entry_id: str, alert_id: str, answers: dict[str, list[str]]) -> None:
        """Take one message of a batch, or not, and add what is answered of it."""
        fate = self._draw(PARTIAL)
        if fate in {None, "message failed yet accepted", "message unanswered"}:
            self.accepted.append((alert_id, self.now))
        if fate is None:
            answers["Successful"].append(f"<member><Id>{entry_id}</Id><MessageId>1</MessageId></member>")
        elif fate != "message unanswered":
            fault = "true" if fate == "message refused" else "false"
            failed = f"<Id>{entry_id}</Id><Code>Failed</Code><SenderFault>{fault}</SenderFault>"
            answers["Failed"].append(f"<member>{failed}</member>")

    def _draw(self, fates: Sequence[str]) -> str | None:
        if self._random.random() >= self.share:
            return None
        fate = self._random.choice(fates)
        self._done[f"publish: {fate}"] += 1
        return fate


def _entries(body: bytes | str) -> Iterator[tuple[str, str]]:
    """Id and alert id of the messages of a batch, in their order."""
    sent = parse_qs(body.decode() if isinstance(body, bytes) else body)
    numbers = sorted(int(found[1]) for found in map(_MESSAGE.fullmatch, sent) if found)
    for number in numbers:
        entry = f"PublishBatchRequestEntries.member.{number}"
        (entry_id,), (text,) = sent[f"{entry}.Id"], sent[f"{entry}.Message"]
        yield entry_id, Alert.from_json(json.loads(json.loads(text)["default"])).alert_id


def _answer(status: int, body: str) -> AWSResponse:
    raw = SimpleNamespace(stream=lambda: iter([body.encode()]), read=lambda: b"")
    return AWSResponse(NOWHERE, status, {"content-type": "text/xml"}, raw)
