"""AWS embedded in this process: moto, behind a free port.

Calls of DynamoDB by this process do not use the port: a connection for each call, and the web server behind it, would
take most of the time.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_LAST
from botocore.parsers import ResponseParserFactory
from moto.core.botocore_stubber import MockRawResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from werkzeug.exceptions import HTTPException

from tools.local import dynamodb
from tools.local.cloudformation import ACCOUNT, PARTITION, REGION
from tools.local.web import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.model import OperationModel

    from tools.local.template import Table


@dataclass(frozen=True, slots=True)
class Message:
    """A message as SNS would deliver it, by email and by SMS."""

    subject: str
    email: str
    sms: str
    attributes: dict[str, str]


@contextlib.contextmanager
def running(address: str = "127.0.0.1") -> Iterator[str]:
    """Run an embedded AWS for as long as the context lasts; gives its endpoint.

    What is stored stays in this process, for the next one to find: moto keeps it globally.

    Args:
        address: the address of this machine that it answers on, at a free port.
    """
    dynamodb.install()
    server = Server(_one_at_a_time(DomainDispatcherApplication(create_backend_app)), address=address)
    _running.add(server.url)
    server.start()
    try:
        yield server.url
    finally:
        _running.discard(server.url)
        server.stop()


def create_tables(tables: Iterable[Table], *, expiring: bool = True) -> None:
    """Create the template's tables, except those that are there (in a DynamoDB Local that was kept).

    Args:
        tables: as the template has them.
        expiring: whether DynamoDB deletes expired items, by the real time. DynamoDB Local does so at any moment, so
            that tests at another time need tables without.
    """
    with _dynamodb() as call:
        for table in tables:
            if _created(call, table) and expiring and table.ttl_attribute:
                enabled = {"Enabled": True, "AttributeName": table.ttl_attribute}
                call("update_time_to_live", TableName=table.name, TimeToLiveSpecification=enabled)


def delete_tables(tables: Iterable[Table]) -> None:
    """Delete tables with their items."""
    with _dynamodb() as call:
        for table in tables:
            call("delete_table", TableName=table.name)


@contextlib.contextmanager
def _dynamodb() -> Iterator[Callable[..., Any]]:
    """A function that calls DynamoDB; where that is in this process, without a client, which takes most of the time."""
    if _is_here():
        with _lock:
            yield lambda operation, **parameters: dynamodb.call(operation, parameters, REGION)
        return
    with contextlib.closing(boto3.client("dynamodb")) as client:
        yield lambda operation, **parameters: getattr(client, operation)(**parameters)


def _created(call: Callable[..., Any], table: Table) -> bool:
    """Create a table; whether it was not there."""
    try:
        call("create_table", TableName=table.name, **table.definition)
    except (ClientError, HTTPException) as refusal:
        if "ResourceInUseException" not in str(refusal):
            raise
        return False
    return True


@contextlib.contextmanager
def buckets(names: Sequence[str], folder: Path | None = None) -> Iterator[None]:
    """Have S3 buckets for as long as the context lasts.

    Args:
        names: of the buckets.
        folder: where their objects come from and go to at the end, for tables that outlive this process; None for
            buckets that begin empty and leave nothing.
    """
    s3 = s3_backends[ACCOUNT][PARTITION]
    for name in names:
        s3.create_bucket(name, REGION)
        if folder:
            put_objects(name, {unquote(path.name): path.read_bytes() for path in folder.glob(f"{name}/*")})
    try:
        yield
    finally:
        for name in names:
            if folder:
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / name).mkdir(parents=True)
                for key, data in objects(name).items():
                    (folder / name / quote(key, safe="")).write_bytes(data)
            put_objects(name, {})
            s3.delete_bucket(name)


def objects(bucket: str) -> dict[str, bytes]:
    """The objects of a bucket, by their keys."""
    return {key: found.value for key, found in s3_backends[ACCOUNT][PARTITION].buckets[bucket].keys.items()}


def put_objects(bucket: str, wanted: Mapping[str, bytes]) -> None:
    """Have a bucket hold exactly these objects."""
    s3 = s3_backends[ACCOUNT][PARTITION]
    stored = s3.buckets[bucket].keys
    for key in list(stored):
        stored.pop(key)
    for key, data in wanted.items():
        s3.put_object(bucket, key, data)


def create_topics(names: Iterable[str]) -> None:
    """Create SNS topics."""
    client = boto3.client("sns")
    for name in names:
        client.create_topic(Name=name)
    client.close()


def create_queues(names: Iterable[str]) -> None:
    """Create SQS queues."""
    for name in names:
        sqs_backends[ACCOUNT][REGION].create_queue(name)


def messages(topic_arn: str) -> list[Message]:
    """Every message published to a topic, oldest first."""
    sent = sns_backends[ACCOUNT][REGION].topics[topic_arn].sent_notifications
    return [_message(text, subject, attributes) for _, text, subject, attributes, _ in list(sent)]


def waiting(queue: str) -> int:
    """How many messages a queue has that a receiver would get now."""
    return int(sqs_backends[ACCOUNT][REGION].queues[queue].approximate_number_of_messages)


def clear() -> None:
    """Delete the embedded AWS's topics, queues and secrets; DynamoDB's tables stay."""
    for backend in (sns_backends, sqs_backends, secretsmanager_backends):
        backend.clear()


def _message(text: str, subject: str | None, attributes: dict[str, Any] | None) -> Message:
    try:
        texts = json.loads(text)
    except ValueError:
        texts = {"default": text}
    return Message(
        subject=subject or "",
        email=texts.get("email", texts["default"]),
        sms=texts.get("sms", texts["default"]),
        attributes={name: str(value["Value"]) for name, value in (attributes or {}).items()},
    )


SENT = "request is seen on its way"
"""In the context of a call: its request is made as for the network, for who watches or fails requests."""
_OK = 200
_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/([^/]+)/dynamodb/")
_parser = ResponseParserFactory().create_parser("json")
_JSON: Any = {"content-type": "application/x-amz-json-1.0"}
_running: set[str] = set()
"""Endpoints of the embedded AWS in this process."""
_lock = Lock()
"""Held during a call: moto checks a write's condition and then writes, without a lock around the two. Both of two
conditional writes at the same moment could succeed, which DynamoDB rules out and the product depends on."""


def _one_at_a_time(application: WSGIApplication) -> WSGIApplication:
    """An application that answers one request at a time."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with _lock:
            return list(application(environ, start_response))

    return serve


def answer_here(model: OperationModel, params: dict[str, Any], context: dict[str, Any], **_: object) -> object:
    """Answer a call of this process to its own DynamoDB before there is a request to send, most of a call's time.

    Botocore asks this of each call, after it has serialised the call.

    Returns:
        The answer; None for a refusal, and for a call whose request is to be seen on its way (`SENT` in its context):
        these go on, and `answer_request` answers them.
    """
    if SENT in context or params["url"].rstrip("/") not in _running:
        return None
    target = params["headers"]["X-Amz-Target"]
    with _lock:
        answered = dynamodb.answer(target, params["body"], context["client_region"])
    if answered is None or answered[0] != _OK:
        return None
    status, body = answered
    response: Any = {"status_code": status, "headers": _JSON, "body": body, "context": {"operation_name": model.name}}
    shape: Any = model.output_shape
    return AWSResponse(params["url"], status, _JSON, None), _parser.parse(response, shape)


def answer_request(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
    """Answer a request of this process to its own DynamoDB; None where it has to go over the network.

    Botocore asks this before it sends a request.
    """
    if request.url.rstrip("/") not in _running:
        return None
    signed = _SIGNED_FOR.search(_header(request, "Authorization"))
    sent: Any = request.body
    with _lock:
        answered = dynamodb.answer(_header(request, "X-Amz-Target"), sent, signed[1] if signed else REGION)
    if answered is None:
        return None
    status, body = answered
    return AWSResponse(request.url, status, _JSON, MockRawResponse(body))


def _header(request: AWSPreparedRequest, name: str) -> str:
    value = request.headers.get(name, "")
    return value.decode() if isinstance(value, bytes) else value


def _is_here() -> bool:
    """Whether the environment leads calls of DynamoDB to the one of this process."""
    return os.environ.get("AWS_ENDPOINT_URL_DYNAMODB", os.environ.get("AWS_ENDPOINT_URL")) in _running


def not_signed_here(region_name: str, **_: object) -> object:
    """Leave out the signature, half of a small call's time, where nobody looks at it; None leaves it to botocore."""
    return UNSIGNED if _is_here() and region_name == REGION else None


BUILTIN_HANDLERS += [
    ("before-call.dynamodb", answer_here, REGISTER_LAST),  # who counts or fails calls is asked before
    ("before-send.dynamodb", answer_request),
    ("choose-signer.dynamodb", not_signed_here),
]
