"""Sends pending messages to the alerts topic. Only this module calls SNS.

The outbox claims a message for a lease, publishes it, and marks it as sent. Another process that runs at the same time
finds it claimed and skips it. So a message goes out once, except where a process ends between SNS accepting it and the
mark, or gets no answer from SNS. Then the lease runs out and it goes out again, under the same `alert_id`.

SNS takes messages in batches and answers for each of them: each is claimed before, and each that SNS has accepted is
marked, even where others of the batch fail.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from healthscore.core.alerts.model import Alert
from healthscore.core.text import counted
from healthscore.services.notifications.rate_limit import RateLimit
from healthscore.services.notifications.render import message
from healthscore.storage.alerts import messages
from healthscore.storage.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from aws_lambda_powertools import Logger
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import (
        MessageAttributeValueTypeDef,
        PublishBatchRequestEntryTypeDef,
        PublishBatchResponseTypeDef,
    )

    from healthscore.storage.alerts.messages import Message

T = TypeVar("T")

LEASE = timedelta(minutes=15)
"""Longer than any function may run: the process that made an older claim has ended."""
FAILURES_IN_A_ROW = 5
"""How many failures in a row stop the outbox: the topic is out of order, and the rest waits for the next time."""
BATCH = 10
"""Messages that SNS takes at once, at most."""
BATCH_BYTES = 262_144
"""The length that SNS accepts for all of them: texts, subjects and attributes."""


def sns() -> SNSClient:
    """A client that publishes each message at most once per call.

    It must not retry by itself: after a time-out it cannot know whether the message was accepted, and a retry would
    send a second one at once, where the lease makes such a repeat rare and late.
    """
    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("sns", config=config)


def open_outbox(logger: Logger) -> Outbox:
    """The outbox of a function, with topic, links and rate limit from its environment.

    Args:
        logger: gets each message that could not be sent.
    """
    return Outbox(
        client=sns(),
        topic_arn=os.environ["ALERTS_TOPIC_ARN"],
        app_url=os.environ.get("APP_URL"),
        logger=logger,
        rate_limit=RateLimit(int(os.environ["MESSAGES_PER_SECOND"])),
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of sending the pending messages."""

    sent: int
    unsent: int
    """Messages whose sending failed, without those that another process has claimed."""
    complete: bool
    """False where the outbox stopped before it had tried all messages."""

    @property
    def left(self) -> list[str]:
        """What is left to do, in words; empty where nothing is."""
        left = [counted(self.unsent, "unsent message")] if self.unsent else []
        return left if self.complete else [*left, "messages not tried"]

    def to_json(self) -> dict[str, int]:
        """The figures, for logs and for the caller of the function."""
        return {"sent": self.sent, "unsent": self.unsent}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The outcome of publishing one message."""

    error: str | None = None
    """The code or name of the error; None where SNS has accepted it."""
    refused: bool = False
    """Whether it is certain that SNS has not accepted it."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Sends pending messages.

    Attributes:
        client: the SNS client.
        topic_arn: the alerts topic.
        app_url: the beginning of links in emails; None or empty for no links.
        logger: gets each message that could not be sent, by id.
        rate_limit: how many messages go out in a second.
        clock: gives the current instant, for leases.
    """

    client: SNSClient
    topic_arn: str
    app_url: str | None
    logger: Logger
    rate_limit: RateLimit
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def send(self, first: Iterable[tuple[str | None, str]], keep_going: Callable[[], bool]) -> Delivery:
        """Send the named messages, and then all others that are pending.

        Args:
            first: account and id of messages just stored: the index of pending messages may not list them yet.
            keep_going: asked before each batch; False leaves the rest to the next time.

        Raises:
            StorageUnavailableError: the messages cannot be read or marked now.
        """
        sent, unsent, in_a_row = 0, 0, 0
        with ThreadPoolExecutor(BATCH) as pool:
            for batch in _batches(chain(first, messages.pending()), min(BATCH, self.rate_limit.per_second)):
                if not keep_going() or in_a_row >= FAILURES_IN_A_ROW:
                    return Delivery(sent, unsent, complete=False)
                for accepted in self._send_batch(pool, batch):
                    sent, unsent = sent + accepted, unsent + (not accepted)
                    in_a_row = 0 if accepted else in_a_row + 1
        return Delivery(sent, unsent, complete=True)

    def _send_batch(self, pool: ThreadPoolExecutor, batch: Sequence[tuple[str | None, str]]) -> list[bool]:
        """Claim, publish and mark some messages.

        Returns:
            For each message that could be claimed, whether SNS has accepted it.

        Raises:
            StorageUnavailableError: storage failed for a message. All others are published and marked.
        """
        errors: list[StorageUnavailableError] = []
        now = self.clock()
        claims = [pool.submit(messages.claim, *named, now=now, lease=LEASE) for named in batch]
        claimed = [found for found in _results(claims, errors) if found is not None]
        accepted = []
        for publication in _publications([(one, self._entry(number, one)) for number, one in enumerate(claimed)]):
            outcomes = self._publish([entry for _, entry in publication])
            pairs = zip(publication, outcomes, strict=True)
            _results([pool.submit(self._settle, one, outcome) for (one, _), outcome in pairs], errors)
            accepted += [outcome.error is None for outcome in outcomes]
        if errors:
            raise errors[0]
        return accepted

    def _entry(self, number: int, claimed: Message) -> PublishBatchRequestEntryTypeDef:
        texts = message(Alert.from_json(claimed.body), self.app_url)
        by_protocol = {"default": texts.default, "email": texts.email, "sms": texts.sms}
        return {
            "Id": str(number),
            "Subject": texts.subject,
            "Message": json.dumps(by_protocol, ensure_ascii=False),
            "MessageStructure": "json",
            "MessageAttributes": {name: _attribute(value) for name, value in texts.attributes.items()},
        }

    def _publish(self, entries: Sequence[PublishBatchRequestEntryTypeDef]) -> list[_Outcome]:
        """Publish entries in one call, and give the outcome of each."""
        self.rate_limit.take(len(entries))
        try:
            answer = self.client.publish_batch(TopicArn=self.topic_arn, PublishBatchRequestEntries=entries)
        except (ClientError, BotoCoreError) as error:
            return [_Outcome(_kind(error), _surely_refused(error))] * len(entries)
        return [_outcome(entry["Id"], answer) for entry in entries]

    def _settle(self, claimed: Message, outcome: _Outcome) -> None:
        """Mark a message as sent, or release its claim; where the outcome is unknown, it stays claimed."""
        if outcome.error is None:
            messages.mark_sent(claimed.account_id, claimed.message_id, now=self.clock())
            return
        # Without the error's own text, which may quote the message.
        self.logger.error("a message was not sent", message_id=claimed.message_id, error=outcome.error)
        if outcome.refused:
            messages.release(claimed.account_id, claimed.message_id)


def _attribute(value: str | list[str]) -> MessageAttributeValueTypeDef:
    if isinstance(value, list):
        return {"DataType": "String.Array", "StringValue": json.dumps(value)}
    return {"DataType": "String", "StringValue": value}


def _batches(named: Iterable[tuple[str | None, str]], size: int) -> Iterator[list[tuple[str | None, str]]]:
    """The messages in batches, each message once.

    SNS delivers the messages of a batch in any order. So those about the whole workspace, which come last in a night,
    begin a batch of their own.
    """
    tried: set[tuple[str | None, str]] = set()
    batch: list[tuple[str | None, str]] = []
    for one in named:
        if one in tried:
            continue
        tried.add(one)
        workspace_begins = one[0] is None and batch and batch[-1][0] is not None
        if workspace_begins or len(batch) == size:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _publications(
    entries: Sequence[tuple[Message, PublishBatchRequestEntryTypeDef]],
) -> Iterator[list[tuple[Message, PublishBatchRequestEntryTypeDef]]]:
    """The entries in lists that one call may publish: at most `BATCH_BYTES`, or a single entry that is longer."""
    publication: list[tuple[Message, PublishBatchRequestEntryTypeDef]] = []
    length = 0
    for one, entry in entries:
        more = _length(entry)
        if publication and length + more > BATCH_BYTES:
            yield publication
            publication, length = [], 0
        publication.append((one, entry))
        length += more
    if publication:
        yield publication


def _length(entry: PublishBatchRequestEntryTypeDef) -> int:
    texts = [entry["Message"], entry["Subject"]]
    for name, value in entry["MessageAttributes"].items():
        texts += [name, value["DataType"], value["StringValue"]]
    return sum(len(text.encode()) for text in texts)


def _outcome(entry_id: str, answer: PublishBatchResponseTypeDef) -> _Outcome:
    """The outcome of one entry by the answer of SNS. Without an answer, or by a fault of SNS, it is uncertain."""
    if any(accepted["Id"] == entry_id for accepted in answer.get("Successful", [])):
        return _Outcome()
    for failed in answer.get("Failed", []):
        if failed["Id"] == entry_id:
            return _Outcome(failed["Code"], refused=failed["SenderFault"])
    return _Outcome("NoAnswer")


def _results(calls: Iterable[Future[T]], errors: list[StorageUnavailableError]) -> list[T]:
    """Wait for all calls and give their results; where storage failed for one, its error is added to `errors`."""
    results = []
    for call in calls:
        try:
            results.append(call.result())
        except StorageUnavailableError as error:
            errors.append(error)
    return results


def _surely_refused(error: ClientError | BotoCoreError) -> bool:
    """Whether it is certain that SNS has accepted nothing: it answered so, or was never reached."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500  # noqa: PLR2004  (server error)
    return isinstance(error, ConnectTimeoutError | EndpointConnectionError)


def _kind(error: ClientError | BotoCoreError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
