"""The bucket of the dataset: small calls on whole objects, and the translation of their errors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from healthscore import process
from healthscore.storage.client import CONCURRENCY, USER_AGENT
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta
    from pathlib import Path

T = TypeVar("T")

_AT_ONCE = 1000
"""Objects that one call deletes at most."""
_GONE = {"NoSuchKey", "404"}
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict"}


class Found(NamedTuple):
    """An object as it was read."""

    data: bytes
    etag: str
    """Stands for exactly this content, for `put_if_unchanged`."""


@process.once
def _s3() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    config = Config(
        user_agent=USER_AGENT,
        connect_timeout=2,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=CONCURRENCY,
        signature_version="s3v4",
    )
    return boto3.client("s3", config=config)


def name() -> str:
    """The bucket's name."""
    return os.environ["DATASET_BUCKET"]


def put(key: str, data: bytes) -> None:
    """Put an object in the place of the one that is there.

    Raises:
        StorageUnavailableError: it is not known whether it is there.
    """
    _call(_s3().put_object, Bucket=name(), Key=key, Body=data)


def put_if_unchanged(key: str, data: bytes, etag: str) -> None:
    """Put an object in the place of one that was read.

    Raises:
        ConditionFailedError: it has changed since, or is gone.
        StorageUnavailableError: it is not known whether it is there.
    """
    _call(_s3().put_object, Bucket=name(), Key=key, Body=data, IfMatch=etag)


def get(key: str) -> Found | None:
    """An object; None where it is not there.

    Raises:
        StorageUnavailableError: the bucket cannot be read now.
    """
    try:
        answer = _call(_s3().get_object, Bucket=name(), Key=key)
    except ClientError:  # the only one that is left
        return None
    return Found(_call(answer["Body"].read), answer["ETag"])


def link(key: str, valid_for: timedelta, file_name: str | None = None) -> str:
    """A link by which anybody may read an object for a while; made without a call.

    Args:
        key: the object.
        valid_for: for how long.
        file_name: under which a browser saves it, as CSV; as it is where it is left out.
    """
    request = {"Bucket": name(), "Key": key}
    if file_name is not None:
        request["ResponseContentType"] = "text/csv; charset=utf-8"
        request["ResponseContentDisposition"] = f'attachment; filename="{file_name}"'
    url: str = _s3().generate_presigned_url("get_object", Params=request, ExpiresIn=int(valid_for.total_seconds()))
    return url


def fetch(keys: Iterable[str], folder: Path) -> list[Path]:
    """Write objects to files of a folder, side by side; answers the files in the order of the keys.

    Raises:
        StorageUnavailableError: the bucket cannot be read now, or one of the objects is not there.
    """

    def to_file(numbered: tuple[int, str]) -> Path:
        number, key = numbered
        found = get(key)
        if found is None:
            raise StorageUnavailableError(f"{key} is gone")
        path = folder / f"{number:06d}-{key.rpartition('/')[2]}"
        path.write_bytes(found.data)
        return path

    return side_by_side(to_file, enumerate(keys))


def keys(prefix: str) -> list[str]:
    """The keys of all objects that begin so, in order.

    Raises:
        StorageUnavailableError: the bucket cannot be read now.
    """
    found: list[str] = []
    request = {"Bucket": name(), "Prefix": prefix}
    while True:
        page = _call(_s3().list_objects_v2, **request)
        found += [item["Key"] for item in page.get("Contents", ())]
        if not page["IsTruncated"]:
            return found
        request["ContinuationToken"] = page["NextContinuationToken"]


def delete(doomed: Iterable[str]) -> None:
    """Delete objects; those that are not there do no harm.

    Raises:
        StorageUnavailableError: some may be left.
    """
    doomed = list(doomed)
    for start in range(0, len(doomed), _AT_ONCE):
        objects = [{"Key": key} for key in doomed[start : start + _AT_ONCE]]
        answer = _call(_s3().delete_objects, Bucket=name(), Delete={"Objects": objects, "Quiet": True})
        if answer.get("Errors"):
            raise StorageUnavailableError(answer["Errors"][0]["Code"])


def _call(operation: Callable[..., T], **parameters: Any) -> T:  # noqa: ANN401  (the client's own parameters)
    try:
        return operation(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _CHANGED or ("IfMatch" in parameters and code in _GONE):
            raise ConditionFailedError(code) from error
        if code in _GONE:
            raise  # `get` takes it
        # Also where it does not pass, as a missing right or bucket: what is done then is the same.
        raise StorageUnavailableError(code) from error
    except BotoCoreError as error:
        raise StorageUnavailableError(type(error).__name__) from error
