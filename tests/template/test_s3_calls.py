"""A call of S3 is recorded as what its policy has to allow: the action, and the folder."""

from __future__ import annotations

import contextlib

import boto3
import pytest

from tests.template.calls import Calls

KEY = "account_nights/night=2026-11-29/part-0000-0f.parquet"
NIGHTS, BOOK = "DatasetBucket/account_nights/*", "DatasetBucket/book/*"


@pytest.fixture
def recorded(bucket):
    """A function that makes a call of S3, whether it succeeds or not, and returns what was recorded."""
    calls = Calls({bucket: "DatasetBucket"})
    with calls.noted():
        client = boto3.client("s3")

        def record(call, **arguments):
            calls.made.clear()

            def function(_name, _event):
                with contextlib.suppress(client.exceptions.ClientError):
                    getattr(client, call)(**arguments)
                return "{}"

            calls.by(function)("NightlyFunction", "{}")
            return calls.made["NightlyFunction"]

        yield lambda call, **arguments: record(call, Bucket=bucket, **arguments)
        client.close()


@pytest.mark.parametrize(
    ("call", "arguments", "needed"),
    [
        ("get_object", {"Key": KEY}, {("s3:GetObject", NIGHTS)}),
        ("head_object", {"Key": KEY}, {("s3:GetObject", NIGHTS)}),
        ("put_object", {"Key": KEY, "Body": b"x", "IfNoneMatch": "*"}, {("s3:PutObject", NIGHTS)}),
        ("put_object", {"Key": KEY, "IfMatch": "v1"}, {("s3:PutObject", NIGHTS), ("s3:GetObject", NIGHTS)}),
        ("delete_object", {"Key": KEY}, {("s3:DeleteObject", NIGHTS)}),
        ("delete_object", {"Key": KEY, "IfMatch": "v1"}, {("s3:DeleteObject", NIGHTS), ("s3:GetObject", NIGHTS)}),
        ("delete_object", {"Key": KEY, "IfMatch": "*"}, {("s3:DeleteObject", NIGHTS)}),
        (
            "delete_objects",
            {"Delete": {"Objects": [{"Key": KEY}, {"Key": "book/1"}]}},
            {("s3:DeleteObject", NIGHTS), ("s3:DeleteObject", BOOK)},
        ),
        ("list_objects_v2", {"Prefix": "account_nights/night=2026"}, {("s3:ListBucket", NIGHTS)}),
        ("list_objects_v2", {}, {("s3:ListBucket", "DatasetBucket/*")}),
        ("get_object", {"Key": "in-no-folder"}, {("s3:GetObject", "DatasetBucket/*")}),
    ],
)
def test_call__of_s3__is_recorded_as_what_it_needs(recorded, call, arguments, needed):
    assert recorded(call, **arguments) == needed


def test_copy__of_an_object__reads_one_folder_and_writes_another(recorded, bucket):
    source = {"Bucket": bucket, "Key": "staging/a"}
    needed = {("s3:GetObject", "DatasetBucket/staging/*"), ("s3:PutObject", NIGHTS)}
    assert recorded("copy_object", Key=KEY, CopySource=source) == needed


def test_link__to_an_object__needs_what_its_reader_does(recorded, bucket):
    """S3 lets in who has the link if the function that signed it may read."""
    link = {"ClientMethod": "get_object", "Params": {"Bucket": bucket, "Key": "exports/a"}}
    calls = Calls({bucket: "DatasetBucket"})
    with calls.noted():
        client = boto3.client("s3")
        calls.by(lambda *_: client.generate_presigned_url(**link))("InsightsFunction", "{}")
        client.close()
    assert calls.made["InsightsFunction"] == {("s3:GetObject", "DatasetBucket/exports/*")}
