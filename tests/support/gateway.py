"""Events as API Gateway hands them to a function, made from a captured one."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

from healthscore.core.time import millis

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
REQUEST_ID = "Jp1aBc3d6SyoAMqX="
_CAPTURED = json.loads((Path(__file__).parents[2] / "events" / "api-healthz.json").read_text())


def gateway_event(
    method: str,
    path: str,
    *,
    key: str | None = None,
    body: object = None,
    query: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    in_base64: bool = False,
    now: datetime = NOW,
) -> dict[str, Any]:
    """One request as an event of payload format 2.0.

    `path` is as the client wrote it: the gateway decodes it. A body that is neither text nor bytes is sent as JSON;
    bytes arrive in base64, as the gateway hands over what its headers do not call text.
    """
    event = deepcopy(_CAPTURED)
    http = event["requestContext"]["http"]
    http["method"] = method
    event["rawPath"] = http["path"] = unquote(path)
    event["requestContext"]["requestId"] = REQUEST_ID
    event["requestContext"]["timeEpoch"] = millis(now)
    event["headers"].update(headers or {})
    if key is not None:
        event["headers"]["authorization"] = f"Bearer {key}"
    if query:
        event["rawQueryString"] = urlencode(query, doseq=True)
        event["queryStringParameters"] = {
            name: ",".join(value) if isinstance(value, list) else value for name, value in query.items()
        }
    if body is not None:
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        event["isBase64Encoded"] = in_base64 or isinstance(sent, bytes)
        if event["isBase64Encoded"]:
            sent = base64.b64encode(sent if isinstance(sent, bytes) else sent.encode()).decode()
        event["body"] = sent
    return event
