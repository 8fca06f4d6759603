"""Sends what is pending to the alerts topic: the only part that speaks to SNS.

A message is claimed for a lease, published, and marked as sent. Whoever runs at the same time finds it claimed and
passes it over; so a message goes out once, except where a process ends between SNS accepting it and the mark, or never
hears whether SNS accepted it. Then the lease runs out and it goes out again, under the same `alert_id`.

Messages go in batches, for which SNS answers one by one: each is claimed before, and what SNS has accepted is marked,
whatever becomes of the others.
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
from healthscore.services.notifications.rate_limit import Pace
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
"""Longer than any function may run: a claim that is older was left behind."""
FAILURES_IN_A_ROW = 5
"""After so many, the topic itself is taken to be out of order, and what is left waits for the next time."""
BATCH = 10
"""Messages that SNS takes at once, at most."""
BATCH_BYTES = 262_144
"""What these may have in all: texts, subjects and attributes."""


def sns() -> SNSClient:
    """A client that publishes each message at most once per call.

    It must not retry by itself: after a time-out it cannot know whether the message was accepted, and a retry would
    send a second one at once, where the lease makes such a repeat rare and late.
    """
    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("sns", config=config)


def open_outbox(logger: Logger) -> Outbox:
    """The outbox of a function: topic, links and pace are those of its environment."""
    return Outbox(
        client=sns(),
        topic_arn=os.environ["ALERTS_TOPIC_ARN"],
        app_url=os.environ.get("APP_URL"),
        logger=logger,
        pace=Pace(int(os.environ["MESSAGES_PER_SECOND"])),
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the pending messages."""

    sent: int
    unsent: int
    """Messages that were tried in vain; those that somebody else has claimed do not count."""
    complete: bool
    """False where it stopped before it had tried them all."""

    @property
    def left(self) -> list[str]:
        """What is still to be done, in words; nothing where all is well."""
        left = [counted(self.unsent, "unsent message")] if self.unsent else []
        return left if self.complete else [*left, "messages not tried"]

    def to_json(self) -> dict[str, int]:
        """The figures, for logs and for who invoked the run."""
        return {"sent": self.sent, "unsent": self.unsent}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one message that was published."""

    error: str | None = None
    """A word for what went wrong; None where SNS has accepted it."""
    refused: bool = False
    """Whether SNS has certainly not accepted it."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Where pending messages go out.

    Attributes:
        client: the SNS client.
        topic_arn: the alerts topic.
        app_url: what links in emails start with; None or empty for no links.
        logger: told of each message that could not be sent, by id.
        pace: how many messages go out in a second.
        clock: tells the time that leases are counted by.
    """

    client: SNSClient
    topic_arn: str
    app_url: str | None
    logger: Logger
    pace: Pace
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def send(self, first: Iterable[tuple[str | None, str]], keep_going: Callable[[], bool]) -> Delivery:
        """Send the messages named, and then all others that are pending.

        Args:
            first: account and id of messages just stored: the index of pending messages may not know them yet.
            keep_going: asked before each batch; False ends it, and leaves the rest to the next time.

        Raises:
            StorageUnavailableError: the messages cannot be read or marked now.
        """
        sent, unsent, in_a_row = 0, 0, 0
        with ThreadPoolExecutor(BATCH) as pool:
            for batch in _batches(chain(first, messages.pending()), min(BATCH, self.pace.per_second)):
                if not keep_going() or in_a_row >= FAILURES_IN_A_ROW:
                    return Delivery(sent, unsent, complete=False)
                for accepted in self._send_batch(pool, batch):
                    sent, unsent = sent + accepted, unsent + (not accepted)
                    in_a_row = 0 if accepted else in_a_row + 1
        return Delivery(sent, unsent, complete=True)

    def _send_batch(self, pool: ThreadPoolExecutor, batch: Sequence[tuple[str | None, str]]) -> list[bool]:
        """Claim, publish and mark some messages; answers of each that could be claimed whether SNS has accepted it.

        Where storage fails for one message, the others are brought to their end first.
        """
        troubles: list[StorageUnavailableError] = []
        now = self.clock()
        claims = [pool.submit(messages.claim, *named, now=now, lease=LEASE) for named in batch]
        claimed = [found for found in _done(claims, troubles) if found is not None]
        accepted = []
        for part in _parts([(one, self._entry(number, one)) for number, one in enumerate(claimed)]):
            outcomes = self._publish([entry for _, entry in part])
            _done(
                [pool.submit(self._settle, one, outcome) for (one, _), outcome in zip(part, outcomes, strict=True)],
                troubles,
            )
            accepted += [outcome.error is None for outcome in outcomes]
        if troubles:
            raise troubles[0]
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
        """Publish a part of a batch; answers what became of each entry."""
        self.pace.take(len(entries))
        try:
            answer = self.client.publish_batch(TopicArn=self.topic_arn, PublishBatchRequestEntries=entries)
        except (ClientError, BotoCoreError) as error:
            return [_Outcome(_kind(error), _surely_refused(error))] * len(entries)
        return [_outcome(entry["Id"], answer) for entry in entries]

    def _settle(self, claimed: Message, outcome: _Outcome) -> None:
        """Mark a message as sent, or give it back; where it is unknown whether SNS accepted it, it stays claimed."""
        if outcome.error is None:
            messages.mark_sent(claimed.account_id, claimed.message_id, now=self.clock())
            return
        # Not the error's own words: these may quote the message.
        self.logger.error("a message was not sent", message_id=claimed.message_id, error=outcome.error)
        if outcome.refused:
            messages.release(claimed.account_id, claimed.message_id)


def _attribute(value: str | list[str]) -> MessageAttributeValueTypeDef:
    if isinstance(value, list):
        return {"DataType": "String.Array", "StringValue": json.dumps(value)}
    return {"DataType": "String", "StringValue": value}


def _batches(named: Iterable[tuple[str | None, str]], size: int) -> Iterator[list[tuple[str | None, str]]]:
    """The messages in batches, each message once.

    SNS passes on the messages of a batch in any order. So what is said of the whole workspace, which closes a night,
    begins a batch of its own.
    """
    tried: set[tuple[str | None, str]] = set()
    batch: list[tuple[str | None, str]] = []
    for one in named:
        if one in tried:
            continue
        tried.add(one)
        closing = one[0] is None and batch and batch[-1][0] is not None
        if closing or len(batch) == size:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _parts(
    entries: Sequence[tuple[Message, PublishBatchRequestEntryTypeDef]],
) -> Iterator[list[tuple[Message, PublishBatchRequestEntryTypeDef]]]:
    """The entries in parts that are not too long for SNS; an entry that is too long by itself is a part by itself."""
    part: list[tuple[Message, PublishBatchRequestEntryTypeDef]] = []
    length = 0
    for one, entry in entries:
        more = _length(entry)
        if part and length + more > BATCH_BYTES:
            yield part
            part, length = [], 0
        part.append((one, entry))
        length += more
    if part:
        yield part


def _length(entry: PublishBatchRequestEntryTypeDef) -> int:
    texts = [entry["Message"], entry["Subject"]]
    for name, value in entry["MessageAttributes"].items():
        texts += [name, value["DataType"], value["StringValue"]]
    return sum(len(text.encode()) for text in texts)


def _outcome(entry_id: str, answer: PublishBatchResponseTypeDef) -> _Outcome:
    """What SNS says of one entry; where it says nothing, or names a fault of its own, that is not known for sure."""
    if any(accepted["Id"] == entry_id for accepted in answer.get("Successful", [])):
        return _Outcome()
    for failed in answer.get("Failed", []):
        if failed["Id"] == entry_id:
            return _Outcome(failed["Code"], refused=failed["SenderFault"])
    return _Outcome("NoAnswer")


def _done(calls: Iterable[Future[T]], troubles: list[StorageUnavailableError]) -> list[T]:
    """What calls answered that were made side by side; those that storage failed for are noted and left out."""
    answers = []
    for call in calls:
        try:
            answers.append(call.result())
        except StorageUnavailableError as error:
            troubles.append(error)
    return answers


def _surely_refused(error: ClientError | BotoCoreError) -> bool:
    """Whether SNS has certainly not accepted what it was sent: it said so, or was never reached."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500  # noqa: PLR2004  (server error)
    return isinstance(error, ConnectTimeoutError | EndpointConnectionError)


def _kind(error: ClientError | BotoCoreError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
