"""The permissions that calls of S3 need: an action, and the folder of the bucket that holds the objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEEDED = {
    "GetObject": ("GetObject",),
    "HeadObject": ("GetObject",),
    "PutObject": ("PutObject",),
    "CreateMultipartUpload": ("PutObject",),
    "UploadPart": ("PutObject",),
    "CompleteMultipartUpload": ("PutObject",),
    "CopyObject": ("PutObject",),
    "DeleteObject": ("DeleteObject",),
}
"""The actions by operation. Another operation has to be added here, with what AWS says that it needs."""


def actions(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions that a call needs permission for, each with a bucket and a folder: `bucket/nights/*`.

    Listing is allowed for a bucket, on condition of the prefix; it stands here as listing of that folder.
    """
    bucket = params["Bucket"]
    if operation in {"ListObjectsV2", "ListObjects"}:
        yield "ListBucket", _place(bucket, params.get("Prefix", ""))
    elif operation == "DeleteObjects":
        yield from (("DeleteObject", _place(bucket, found["Key"])) for found in params["Delete"]["Objects"])
    else:
        place = _place(bucket, params["Key"])
        yield from ((action, place) for action in _NEEDED[operation])
        # To compare an object with a version, S3 asks for the permission to read it.
        if params.get("IfMatch", "*") != "*":
            yield "GetObject", place
        if operation == "CopyObject":
            source, _, key = unquote(params["CopySource"].partition("?")[0]).partition("/")
            yield "GetObject", _place(source, key)


def _place(bucket: str, key: str) -> str:
    folder, slash, _ = key.partition("/")
    return f"{bucket}/{folder}/*" if slash else f"{bucket}/*"
