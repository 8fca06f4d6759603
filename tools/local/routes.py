"""Selects the route of a request, as API Gateway's HTTP APIs do.

Where the gateway's documentation leaves a case open, the selection is strict, so that nothing works here and fails when
deployed: `/x/` is not `/x`, and the value of a variable, greedy or not, is never empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT = "$default"
"""The path of the catch-all route."""
ANY = "ANY"
"""The method of a route that takes every method."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the HTTP API."""

    method: str
    path: str
    function: str
    """Logical id of the function that answers."""

    @property
    def key(self) -> str:
        """The route as the gateway writes it, for example `GET /v1/accounts/{account_id}`."""
        return self.path if self.path == DEFAULT else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Match:
    """The route of a request, and the values of its variables."""

    route: Route
    parameters: Mapping[str, str]


def match(routes: Iterable[Route], method: str, path: str) -> Match | None:
    """Choose the most specific route for a request.

    From left to right in the path, a literal part goes before a variable, and a variable before a greedy one. Of routes
    with the same path, the one that names the method goes before `ANY`. The catch-all route is last.

    Args:
        routes: the API's routes.
        method: the request's method, in capitals.
        path: the request's path, already decoded.
    """
    candidates: list[tuple[tuple[int, ...], bool, Match]] = []
    for route in routes:
        if route.method in (method, ANY):
            found = _fit(route.path, path)
            if found is not None:
                rank, parameters = found
                candidates.append((rank, route.method == ANY, Match(route, parameters)))
    return min(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None


_LITERAL, _VARIABLE, _GREEDY, _CATCH_ALL = range(4)


def _fit(pattern: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """The rank of a route's path for a request's (smaller is closer) and the values of its variables, or no match."""
    if pattern == DEFAULT:
        return (_CATCH_ALL,), {}
    wanted, given = pattern.split("/"), path.split("/")
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for position, part in enumerate(wanted):
        rest = given[position:]
        if part.startswith("{") and part.endswith("+}"):
            parameters[part[1:-2]] = "/".join(rest)
            return ((*rank, _GREEDY), parameters) if parameters[part[1:-2]] else None
        if not rest:
            return None
        if part.startswith("{"):
            if not rest[0]:
                return None
            parameters[part[1:-1]] = rest[0]
            rank.append(_VARIABLE)
        elif part == rest[0]:
            rank.append(_LITERAL)
        else:
            return None
    return (tuple(rank), parameters) if len(given) == len(wanted) else None
