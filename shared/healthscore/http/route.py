"""A route is declared once, at the function that answers it.

>>> @route("GET /v1/things/{thing_id}", scope=Scope.READ, errors=(THING_NOT_FOUND,))
... def get_thing(request: Request) -> Thing:
...     '''One thing.
...
...     What an integrator has to know about it.
...     '''

The router answers requests by this declaration, and the API's description is made of it: the function's name is the
operation's, the first line of its docstring the summary, the rest the description, and its return type the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http import HTTPStatus

    from healthscore.http.api_keys import Scope
    from healthscore.http.errors import ErrorKind
    from healthscore.http.query import Parameter
    from healthscore.http.request import Request

    Answering = Callable[[Request], Mapping[str, Any] | "FileAnswer"]


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """An answer that is no JSON object of ours.

    Attributes:
        body: what is sent, as it is on the wire: gzip where the headers say so.
    """

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Route(NamedTuple):
    """A route and the function that answers it. Calling the route calls the function."""

    function: Answering
    """Takes the request and returns the JSON object, or the file, that is answered with status 200; any other answer
    it raises as `ApiError`."""
    keys: tuple[str, ...]
    """Method and path, such as `GET /v1/accounts/{account_id}`; behind the first one, other names of the same."""
    scope: Scope | None
    """The scope that a key needs; None where no key is needed."""
    errors: tuple[ErrorKind, ...]
    """What it may answer beside the errors of every route, of every route with a key, a body or a path parameter."""
    query: tuple[Parameter, ...] | None
    """The query parameters that it knows, any other being refused; None where any is ignored."""
    body: str | None
    """The type of the JSON body, as `module.Name` in the package of the resource; only the description imports it."""
    key_in_body: bool
    """Whether the client may send its key as `writeKey` in the body."""
    file: str | None
    """The content type of the file that it may answer instead of JSON; None where it answers none."""
    elsewhere: str | None
    """What it means where it answers 303; None where it does not."""
    described: bool
    """Whether the OpenAPI document has it: the files of its own page are of no use to an integrator."""

    def __call__(self, request: Request) -> Mapping[str, Any] | FileAnswer:
        """Answer a request as the function does."""
        return self.function(request)


def route(
    *keys: str,
    scope: Scope | None,
    errors: tuple[ErrorKind, ...] = (),
    query: tuple[Parameter, ...] | None = (),
    body: str | None = None,
    key_in_body: bool = False,
    file: str | None = None,
    elsewhere: str | None = None,
    described: bool = True,
) -> Callable[[Answering], Route]:
    """Declare the route that a function answers; see `Route`."""

    def declared(function: Answering) -> Route:
        return Route(function, keys, scope, errors, query, body, key_in_body, file, elsewhere, described)

    return declared
