"""What the vendors' clients in browsers ask before they send anything: their configuration.

They stop where it is not answered. It is the same for every key, so no key is looked up: it says where to send events,
and that there is no other destination.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.http import static_files
from healthscore.http.route import route

if TYPE_CHECKING:
    from healthscore.http.request import Request
    from healthscore.http.route import FileAnswer

TAG = "Segment clients"
_EVERY_EVENT = {"__default": {"enabled": True, "integrations": {}}}


@route("GET /v1/projects/{write_key}/settings", scope=None, query=None)
def segment_settings(request: Request) -> FileAnswer:
    """The configuration of Segment's client for browsers.

    No key is looked up. It has the client send its calls to this API.
    """
    host, protocol = _host(request)
    segment = {
        "apiKey": request.params["write_key"],
        "apiHost": f"{host}/v1",
        "protocol": protocol,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    settings = {
        "integrations": {"Segment.io": segment},
        "plan": {"track": _EVERY_EVENT, "identify": _EVERY_EVENT, "group": _EVERY_EVENT},
        "edgeFunction": {},
        "enabledMiddleware": {},
        "middlewareSettings": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
    return _answer(settings, request)


@route("GET /sourceConfig", scope=None, query=None)
def rudderstack_source_config(request: Request) -> FileAnswer:
    """The configuration of RudderStack's client for browsers.

    No key is looked up. It names no destination beside this API.
    """
    host, protocol = _host(request)
    no_reports = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source = {
        "id": "healthscore",
        "name": "healthscore",
        "writeKey": request.query.get("writeKey", ""),
        "enabled": True,
        "workspaceId": "healthscore",
        "config": {"statsCollection": no_reports},
        "dataplanes": {"US": [{"url": f"{protocol}://{host}", "default": True}]},
        "connections": [],
        "destinations": [],
    }
    return _answer({"source": source}, request)


def _host(request: Request) -> tuple[str, str]:
    """The address of the API as the client has reached it, with the base path of a custom domain; and the protocol."""
    protocol = "http" if request.headers.get("x-forwarded-proto") == "http" else "https"
    return f"{request.event['requestContext']['domainName']}{request.base_path}", protocol


def _answer(configuration: dict[str, Any], request: Request) -> FileAnswer:
    file = static_files.static_file(json.dumps(configuration).encode(), "application/json")
    headers = request.headers
    return static_files.answer(file, headers.get("accept-encoding", ""), headers.get("if-none-match", ""))
