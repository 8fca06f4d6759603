"""Which function answers a request: the route selection of API Gateway's HTTP APIs.

Where the gateway's documentation makes no promise, this one is strict, so that nothing works here that may fail
deployed: `/x/` is not `/x`, and a variable, greedy or not, never stands for nothing.
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
    """The route chosen for a request, and what its variables stand for."""

    route: Route
    parameters: Mapping[str, str]


def match(routes: Iterable[Route], method: str, path: str) -> Match | None:
    """Choose the most specific route for a request.

    Segment by segment from the left, a literal beats a variable and a variable beats a greedy one; of routes with the
    same path, the one that names the method beats `ANY`; the catch-all comes last.

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
    """How closely a route's path fits a request's (smaller is closer), and the values of its variables."""
    if pattern == DEFAULT:
        return (_CATCH_ALL,), {}
    wanted, given = pattern.split("/"), path.split("/")
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for position, segment in enumerate(wanted):
        rest = given[position:]
        if segment.startswith("{") and segment.endswith("+}"):
            parameters[segment[1:-2]] = "/".join(rest)
            return ((*rank, _GREEDY), parameters) if parameters[segment[1:-2]] else None
        if not rest:
            return None
        if segment.startswith("{"):
            if not rest[0]:
                return None
            parameters[segment[1:-1]] = rest[0]
            rank.append(_VARIABLE)
        elif segment == rest[0]:
            rank.append(_LITERAL)
        else:
            return None
    return (tuple(rank), parameters) if len(given) == len(wanted) else None
