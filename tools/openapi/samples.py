"""Examples that work when they are pasted into a shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from healthscore.http.router import ROUTES
from tools.openapi.operations import NOW, TODAY

if TYPE_CHECKING:
    from tools.openapi.operations import Operation

LOCAL = "http://127.0.0.1:3000"
"""The local stack, which has the keys `local-write`, `local-read` and `local-admin`."""
_SHELL_NOW = "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
_SHELL_TODAY = "$(date -u +%Y-%m-%d)"


def target(route: str, operation: Operation) -> str:
    """The example's path and query, percent-encoded."""
    path = route.partition(" ")[2]
    for name, value in operation.path.items():
        path = path.replace(f"{{{name}}}", quote(value, safe="~@:+"))
    query = urlencode(
        {query.name: query.example for query in operation.query if query.example is not None}, safe=":", quote_via=quote
    )
    return f"{path}?{query}" if query else path


def curl(route: str, operation: Operation) -> str:
    """The example as a command. The present is filled in by the shell that runs it."""
    method = route.partition(" ")[0]
    scope = ROUTES[route]
    url = LOCAL + target(route, operation)
    filled = url.replace(NOW, _SHELL_NOW).replace(TODAY, _SHELL_TODAY)
    parts = ["curl -s"]
    if method != ("GET" if operation.body is None else "POST"):
        parts.append(f"-X {method}")
    parts.append(f'"{filled}"' if filled != url or "?" in url else url)
    if scope is not None:
        parts.append(f"-H 'Authorization: Bearer local-{scope.value}'")
    command = " ".join(parts)
    if operation.body is None:
        return command
    body = json.dumps(operation.example, ensure_ascii=False, indent=2).replace("'", "'\\''")
    body = body.replace(NOW, f"'{_SHELL_NOW}'").replace(TODAY, f"'{_SHELL_TODAY}'")
    return f"{command} -d '{body}'"
