"""Who is who: the ids that look wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from healthscore.core.time import format_instant
from healthscore.http.api_keys import Scope
from healthscore.http.route import route
from healthscore.storage.people import suspects

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count, Instant
    from healthscore.http.request import Request

    class SuspectDocument(TypedDict):
        """An id that looks wrong."""

        kind: Literal["user", "device"]
        """A user id, or an anonymous id."""
        id: str
        reason: Literal["shared", "many_users", "many_ids"]
        """`shared`: more than 20 users were identified on the device within a day, so it joins nobody any more.
        `many_users`: more than 5 were. `many_ids`: one person has 50 ids or more."""
        count: Count
        """The users of that day, or the ids of the person, when it was noted last."""
        noted_at: Instant

    class Suspects(TypedDict):
        """The ids that look wrong."""

        suspects: list[SuspectDocument]
        """In the order of their ids, 1,000 at most."""
        complete: bool
        """Whether these are all."""


TAG = "Workspace"
MOST = 1000


@route("GET /v1/identity/suspects", scope=Scope.ADMIN)
def get_suspects(_request: Request) -> Suspects:
    """The ids that look wrong.

    Where events are missing, or people are joined who are not the same, a program mostly sends an id that is not one
    person's: a constant, a placeholder, the id of a proxy. It is one of these.
    """
    found = suspects.first(MOST + 1)
    return {
        "suspects": [
            {
                "kind": "user" if one.id.startswith("u") else "device",
                "id": one.id[1:],
                "reason": one.reason,
                "count": one.count,
                "noted_at": format_instant(one.noted_at),
            }
            for one in found[:MOST]
        ],
        "complete": len(found) <= MOST,
    }
