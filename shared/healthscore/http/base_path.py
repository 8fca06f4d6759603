"""The base path under which a custom domain maps the API.

`https://api.example.com/scores/v1/events` reaches the functions with `/scores` in front of the path that the gateway
has routed by. The route that it names says where that path begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOTS = ("/healthz/", "/sourceConfig/")
"""What the paths of the API begin with that no route of the gateway has, as long as a slash is behind them."""
_VERSION = "/v1/"
_ROUTED = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""The methods with which the gateway has a route for everything behind `_VERSION`."""


def base_path(event: Mapping[str, Any]) -> str:
    """What stands before the API's own path in a gateway event of payload format 2.0; empty where nothing does."""
    path: str = event["rawPath"].removesuffix("/")
    context = event["requestContext"]
    if context.get("domainName", "").startswith(f"{context.get('apiId')}."):
        return ""  # the API's own address has no base path
    method, _, routed = event.get("routeKey", context.get("routeKey", "")).partition(" ")
    if routed:
        own = _filled_in(routed, event.get("pathParameters") or {}).removesuffix("/")
        if path.endswith(own):
            return path.removesuffix(own)
        return _before(path, routed)
    return _guessed(path, context["http"]["method"]) if method else ""


def _filled_in(routed: str, parameters: Mapping[str, str]) -> str:
    """The path of a route with the values of its variables."""
    parts = (parameters.get(part.strip("{+}"), part) if part.startswith("{") else part for part in routed.split("/"))
    return "/".join(parts)


def _before(path: str, routed: str) -> str:
    """What stands before a routed path whose variables the gateway has written in another way than the path."""
    literal, variable, _ = routed.partition("{")
    if not variable:
        return ""
    before, found, _ = path.partition(literal)
    return before if found else ""


def _guessed(path: str, method: str) -> str:
    """What stands before a path that no route but the last resort has, which says nothing of where it begins.

    What the gateway would have routed, had it begun there, does not: whoever guards the paths of the API from outside
    would not know it under that address.
    """
    roots = _ROOTS if method in _ROUTED else (_VERSION, *_ROOTS)
    starts = (f"{path}/".find(root) for root in roots)
    return path[: min((start for start in starts if start >= 0), default=0)]
