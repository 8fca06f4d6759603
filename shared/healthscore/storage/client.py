"""The one DynamoDB client of a process, and the translation of its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import PROTOCOL_PARSERS

from healthscore import process
from healthscore.storage.answers import AnswerParser
from healthscore.storage.errors import ConditionFailedError, NoRoomError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

USER_AGENT = "healthscore"
"""What the product calls itself, in CloudTrail for example."""
CONCURRENCY = 16
"""Calls that one process keeps under way at once; the connection pool has room for them."""

_CONDITION_FAILED = {"ConditionalCheckFailedException", "TransactionConflictException"}
_CONDITION_REASONS = {"ConditionalCheckFailed", "TransactionConflict"}
_TOO_LARGE = "ValidationException", "Item size"
"""Code, and what its message begins with, where an item would outgrow DynamoDB."""
_PASSING = {
    "InternalServerError",
    "ItemCollectionSizeLimitExceededException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionInProgressException",
}


@process.once
def dynamodb() -> DynamoDBClient:
    """The client, made on first use; region, credentials and endpoint come from the environment as boto3 reads it.

    Time-outs are short and retries few: a request that cannot be served within seconds is better answered 503, for
    the sender to repeat, than kept waiting until the gateway gives up on it.

    What a call costs is mostly the client's own work. A fixed user agent saves an eighth of that: left to itself, the
    client composes it twice a call. The parameters are checked by DynamoDB, and need not be checked here as well.
    Answers are read by a parser of our own, see `storage.answers`.
    """
    PROTOCOL_PARSERS["json"] = AnswerParser  # type: ignore[assignment]  # the stubs say an instance
    config = Config(
        user_agent=USER_AGENT,
        parameter_validation=False,
        connect_timeout=1,
        read_timeout=3,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=CONCURRENCY,
        tcp_keepalive=True,
    )
    return boto3.client("dynamodb", config=config)


def call(operation: Callable[..., T], **parameters: Any) -> T:  # noqa: ANN401  (the client's own parameters)
    """Make one call of the client.

    Raises:
        ConditionFailedError: the condition of a write did not hold, or a transaction was in its way.
        NoRoomError: an item would outgrow DynamoDB.
        StorageUnavailableError: the call failed for a reason that passes (throttling, time-out, no connection).
    """
    try:
        return operation(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        reasons = {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])}
        if _is_too_large(error.response):
            raise NoRoomError from error
        if code in _CONDITION_FAILED or reasons & _CONDITION_REASONS:
            raise ConditionFailedError(code) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _PASSING or status >= 500 or reasons:  # noqa: PLR2004  (server errors)
            raise StorageUnavailableError(code) from error
        raise
    except BotoCoreError as error:
        raise StorageUnavailableError(type(error).__name__) from error


def _is_too_large(response: Any) -> bool:  # noqa: ANN401  (as botocore gives it)
    """Whether an item would outgrow DynamoDB, by the error of a call or by one of a transaction's reasons."""
    error = response["Error"]
    reasons = [(error["Code"], error.get("Message"))]
    reasons += [(reason.get("Code"), reason.get("Message")) for reason in response.get("CancellationReasons", ())]
    code, words = _TOO_LARGE
    return any(
        one in {code, "ValidationError"} and str(message).lower().startswith(words.lower()) for one, message in reasons
    )


def pages(operation: Callable[..., Any], **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """The items of a Query or Scan, page after page."""
    while True:
        page = call(operation, **parameters)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]
