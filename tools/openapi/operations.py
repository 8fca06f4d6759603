"""What a route is for: everything about an operation that its entry in `ROUTES` does not say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = "2026-11-21T10:00:00Z"
"""Stands for the present in examples: where they are run, the time of running them takes its place."""
TODAY = "2026-11-21"
"""The day of `NOW`."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter."""

    name: str
    words: str
    schema: Mapping[str, Any]
    example: str | int | None = None
    """A value that is worth showing; None for parameters that the example of the operation leaves out."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What one route does."""

    id: str
    """A name for it, as generated clients use it."""
    tag: str
    summary: str
    words: str
    answer: Any
    """The type of the answer; None where it is described by `content`."""
    path: Mapping[str, str] = field(default_factory=dict)
    """An example of each path parameter."""
    query: tuple[Query, ...] = ()
    body: str | None = None
    """The schema of the body."""
    example: Any = None
    """A body that works as it is."""
    errors: tuple[str, ...] = ()
    """Codes beside those that every route, or every route with a body or an account, may answer."""
    content: str = "application/json"
    """The media type of the answer."""
    keyless: bool = False
    """Whether the route has a way of its own to know who is asking, so that no example of it would work when pasted."""


TAGS = {
    "Events": "What your product's users do goes in here, each event exactly once.",
    "Segment clients": (
        "The Segment HTTP tracking API: unmodified Segment and RudderStack clients work with only host and key changed."
    ),
    "Scores": "The live score of an account, explained, and its nights.",
    "Accounts": "What is known about accounts.",
    "Alerts": "What the nights had to tell.",
    "CRM": "CRMs that are read by themselves, and what became of their companies.",
    "Workspace": "What holds for the whole workspace.",
    "About the API": "Its pulse and its description.",
}
"""Groups of operations, in the order in which they are shown."""
