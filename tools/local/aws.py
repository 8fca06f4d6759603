"""AWS embedded in this process: moto's server for DynamoDB and SNS on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sns.models import sns_backends
from werkzeug.serving import make_server

from tools.local.cloudformation import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tools.local.template import Table


@dataclass(frozen=True, slots=True)
class Message:
    """A message as SNS would have delivered it."""

    subject: str
    email: str
    sms: str
    attributes: dict[str, str]


class EmbeddedAws:
    """Moto's server, running from `start` to `stop`."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        """Bind a free port of an address."""
        # Werkzeug would announce itself and every request.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        application = _one_at_a_time(DomainDispatcherApplication(create_backend_app))
        self._server = make_server(address, 0, application, threaded=True)
        self._server.daemon_threads = False  # type: ignore[attr-defined]  # so that server_close waits for them
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="aws")
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port; everything stored is gone."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def environment(given: Mapping[str, str], endpoint: str, dynamodb_endpoint: str | None) -> dict[str, str]:
    """An environment in which boto3 finds the embedded AWS and nothing else.

    Profiles, credentials and endpoints that the developer's shell has for the real AWS are left out, the credentials
    set here are not real, and no proxy comes between.

    Args:
        given: the environment to begin with.
        endpoint: where the embedded AWS answers.
        dynamodb_endpoint: where DynamoDB answers, if somewhere else.
    """
    environment = {name: value for name, value in given.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": ",".join(filter(None, [given.get("NO_PROXY", given.get("no_proxy")), "127.0.0.1,localhost"])),
    }
    environment["no_proxy"] = environment["NO_PROXY"]
    if dynamodb_endpoint:
        environment["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb_endpoint
    return environment


def create_tables(tables: Iterable[Table]) -> None:
    """Create the template's tables, where they are not there yet (as they are in a DynamoDB Local that was kept)."""
    client = boto3.client("dynamodb")
    for table in tables:
        with contextlib.suppress(client.exceptions.ResourceInUseException):
            client.create_table(TableName=table.name, **table.definition)
            if table.ttl_attribute:
                client.update_time_to_live(
                    TableName=table.name,
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
                )
    client.close()


def create_topics(names: Iterable[str]) -> None:
    """Create SNS topics."""
    client = boto3.client("sns")
    for name in names:
        client.create_topic(Name=name)
    client.close()


def messages(topic_arn: str) -> list[Message]:
    """Every message published to a topic, oldest first, with the text each kind of subscriber would have got."""
    sent = sns_backends[ACCOUNT][REGION].topics[topic_arn].sent_notifications
    return [_message(text, subject, attributes) for _, text, subject, attributes, _ in list(sent)]


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


def _one_at_a_time(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Serve one request after the other.

    Moto checks a write's condition and then writes, without a lock between the two: of two conditional writes at the
    same moment both could succeed, which DynamoDB rules out and the product builds on.
    """
    lock = Lock()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401  (WSGI's own type)
        with lock:
            return list(application(environ, start_response))

    return serve
