"""Sends what is pending to the alerts topic: the only part that speaks to SNS.

A message is claimed for a lease, published, and marked as sent. Whoever runs at the same time finds it claimed and
passes it over; so a message goes out once, except where a process ends between SNS accepting it and the mark, or never
hears whether SNS accepted it. Then the lease runs out and it goes out again, under the same `alert_id`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from healthscore.core.alerts import Alert
from healthscore.core.words import counted
from healthscore.messages import message
from healthscore.storage import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aws_lambda_powertools import Logger
    from mypy_boto3_sns import SNSClient

LEASE = timedelta(minutes=15)
"""Longer than any function may run: a claim that is older was left behind."""
FAILURES_IN_A_ROW = 5
"""After so many, the topic itself is taken to be out of order, and what is left waits for the next time."""


def sns() -> SNSClient:
    """A client that publishes each message at most once per call.

    It must not retry by itself: after a time-out it cannot know whether the message was accepted, and a retry would
    send a second one at once, where the lease makes such a repeat rare and late.
    """
    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("sns", config=config)


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
class Outbox:
    """Where pending messages go out.

    Attributes:
        client: the SNS client.
        topic_arn: the alerts topic.
        app_url: what links in emails start with; None or empty for no links.
        logger: told of each message that could not be sent, by id.
        clock: tells the time that leases are counted by.
    """

    client: SNSClient
    topic_arn: str
    app_url: str | None
    logger: Logger
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def send(self, first: Iterable[tuple[str | None, str]], keep_going: Callable[[], bool]) -> Delivery:
        """Send the messages named, and then all others that are pending.

        Args:
            first: account and id of messages just stored: the index of pending messages may not know them yet.
            keep_going: asked before each message; False ends it, and leaves the rest to the next time.

        Raises:
            StorageUnavailableError: the messages cannot be read or marked now.
        """
        sent, failed, in_a_row = 0, set[tuple[str | None, str]](), 0
        for account_id, message_id in chain(first, messages.pending()):
            if not keep_going() or in_a_row >= FAILURES_IN_A_ROW:
                return Delivery(sent, len(failed), complete=False)
            if (account_id, message_id) in failed:
                continue
            claimed = messages.claim(account_id, message_id, now=self.clock(), lease=LEASE)
            if claimed is None:
                continue
            if self._publish(claimed):
                sent, in_a_row = sent + 1, 0
            else:
                failed.add((account_id, message_id))
                in_a_row += 1
        return Delivery(sent, len(failed), complete=True)

    def _publish(self, claimed: messages.Message) -> bool:
        """Publish a claimed message; it is marked as sent, or free again, or, where that is unknown, stays claimed."""
        try:
            self._to_topic(Alert.from_json(claimed.body))
        except (ClientError, BotoCoreError) as error:
            if _surely_refused(error):
                messages.release(claimed.account_id, claimed.message_id)
            # Not the error's own words: these may quote the message.
            self.logger.error("a message was not sent", message_id=claimed.message_id, error=_kind(error))  # noqa: TRY400
            return False
        messages.mark_sent(claimed.account_id, claimed.message_id, now=self.clock())
        return True

    def _to_topic(self, alert: Alert) -> None:
        texts = message(alert, self.app_url)
        by_protocol = {"default": texts.default, "email": texts.email, "sms": texts.sms}
        self.client.publish(
            TopicArn=self.topic_arn,
            Subject=texts.subject,
            Message=json.dumps(by_protocol, ensure_ascii=False),
            MessageStructure="json",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in texts.attributes.items()
            },
        )


def _surely_refused(error: ClientError | BotoCoreError) -> bool:
    """Whether SNS has certainly not accepted the message: it said so, or was never reached."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500  # noqa: PLR2004  (server error)
    return isinstance(error, ConnectTimeoutError | EndpointConnectionError)


def _kind(error: ClientError | BotoCoreError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
