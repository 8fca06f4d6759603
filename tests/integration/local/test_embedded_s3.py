"""The embedded S3 does what the dataset stands on: conditions, prefixes, links; its buckets begin as they should."""

from __future__ import annotations

import os
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from healthscore.storage import schema
from healthscore.storage.client import dynamodb
from tools.local import aws

KEY = "account_nights/night=2026-11-29/part-0000-0f.parquet"
V4 = Config(signature_version="s3v4", s3={"addressing_style": "path"})


@pytest.fixture
def s3(bucket):
    client = boto3.client("s3", config=V4)
    yield client
    client.close()


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def keys(s3, bucket, **asked):
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, **asked).get("Contents", [])]


def test_bucket__beside_tables__is_empty_and_named_in_the_environment(tables, bucket):
    client = boto3.client("s3")
    assert keys(client, os.environ["DATASET_BUCKET"]) == []
    assert os.environ["DATASET_BUCKET"] == bucket
    client.close()
    assert dynamodb().scan(TableName=schema.accounts_table())["Items"] == []


def test_put__only_where_nothing_is__keeps_what_is(bucket, s3):
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"first", IfNoneMatch="*")
    assert refused(s3.put_object, Bucket=bucket, Key=KEY, Body=b"second", IfNoneMatch="*") == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"first"


def test_put__over_a_version__is_refused_where_it_is_another_or_gone(bucket, s3):
    first = s3.put_object(Bucket=bucket, Key=KEY, Body=b"first")["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key="absent", Body=b"x", IfMatch=first) == "NoSuchKey"
    second = s3.put_object(Bucket=bucket, Key=KEY, Body=b"second", IfMatch=first)["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key=KEY, Body=b"third", IfMatch=first) == "PreconditionFailed"
    assert refused(s3.delete_object, Bucket=bucket, Key=KEY, IfMatch=first) == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"second"
    s3.delete_object(Bucket=bucket, Key=KEY, IfMatch=second)
    assert refused(s3.get_object, Bucket=bucket, Key=KEY) == "NoSuchKey"


def test_list__of_a_prefix__names_its_objects_alone_page_by_page(bucket, s3):
    for key in (KEY, "nights/2026-11.parquet", "staging/a", "staging/b", "staging/c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert keys(s3, bucket, Prefix="nights/") == ["nights/2026-11.parquet"]
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="staging/", PaginationConfig={"PageSize": 2}
    )
    assert [[found["Key"] for found in page["Contents"]] for page in pages] == [
        ["staging/a", "staging/b"],
        ["staging/c"],
    ]


def test_link__to_an_object__gives_it_without_credentials(bucket, s3):
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"rows")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY}, ExpiresIn=300)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"rows"


def test_object__of_many_megabytes__comes_back_whole_and_in_parts(bucket, s3):
    body = os.urandom(1 << 20) * 12
    s3.put_object(Bucket=bucket, Key=KEY, Body=body)
    assert s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == body
    assert s3.get_object(Bucket=bucket, Key=KEY, Range="bytes=0-3")["Body"].read() == body[:4]


def test_buckets__with_a_folder__begin_with_what_the_last_ones_had(moto, tmp_path):
    client = boto3.client("s3")
    with aws.buckets(["kept"], tmp_path):
        client.put_object(Bucket="kept", Key=KEY, Body=b"rows")
        client.put_object(Bucket="kept", Key="staging/a", Body=b"x")
    with aws.buckets(["kept"], tmp_path):
        assert client.get_object(Bucket="kept", Key=KEY)["Body"].read() == b"rows"
        client.delete_object(Bucket="kept", Key="staging/a")
    with aws.buckets(["kept"], tmp_path):
        assert keys(client, "kept") == [KEY]
    with aws.buckets(["kept"]):
        assert keys(client, "kept") == []
    client.close()
