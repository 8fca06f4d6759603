"""Makes recorded calls without boto3: the least work that a call to DynamoDB can take in Python.

Without retries, time-outs and parsing by shapes, for one region and one kind of credentials: a lower bound to compare
with, not a client to use.
"""

from __future__ import annotations

import contextlib
import json
from base64 import b64encode
from http.client import HTTPConnection
from threading import local
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from functools import partial


@contextlib.contextmanager
def by_hand(calls: list[partial[Any]], endpoint: str) -> Iterator[list[Callable[[], object]]]:
    """The same calls, signed by botocore, sent and read by the standard library; one connection per thread."""
    session = get_session()
    signer = SigV4Auth(session.get_credentials(), "dynamodb", session.get_config_variable("region"))
    of_thread, connections = local(), contextlib.ExitStack()

    def again(operation: str, parameters: dict[str, Any]) -> object:
        if not hasattr(of_thread, "connection"):
            connection = HTTPConnection(urlsplit(endpoint).netloc)
            of_thread.connection = connections.enter_context(contextlib.closing(connection))
        body = json.dumps(parameters, default=lambda data: b64encode(data).decode()).encode()
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        request = AWSRequest("POST", f"{endpoint}/", headers, body)
        signer.add_auth(request)
        of_thread.connection.request("POST", "/", body, dict(request.headers.items()))
        return json.loads(of_thread.connection.getresponse().read())

    def made(call: partial[Any]) -> Callable[[], object]:
        operation = "".join(word.capitalize() for word in call.func.__name__.split("_"))
        return lambda: again(operation, call.keywords)

    with connections:
        yield [made(call) for call in calls]
