"""What answers about many accounts hold, and what is left after an erasure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from tools.openapi.answer_types import EXACTLY, Band, Count, Day, Instant, Score

Cursor = Annotated[str | None, Field(description="Hand it back as `cursor` for the next page; null on the last.")]
Arr = Annotated[float, Field(ge=0)]


@with_config(EXACTLY)
class Line(TypedDict):
    """An account's line in the book. What the newest night found is null until one has scored the account."""

    account_id: str
    path: Annotated[str, Field(description="Where this account is, ready to be asked for.")]
    name: str | None
    owner: str | None
    segment: Annotated[str | None, Field(description="The attribute `segment`, or the plan where there is none.")]
    plan: str | None
    arr: Arr | None
    renewal_date: Day | None
    score: Score | None
    band: Band | None
    trend: Literal["improving", "declining", "steady", "unknown"] | None
    last_seen_at: Instant | None


@with_config(EXACTLY)
class Book(TypedDict):
    """A page of the book. It may be short, even empty, and not be the last."""

    accounts: list[Line]
    next_cursor: Cursor


ShownEvidence = TypedDict(
    "ShownEvidence",
    {
        "what": str,
        "since": Annotated[Day | None, Field(description="The day on which it read `from`.")],
        "date": Annotated[Day, Field(description="The day on which it reads `to`.")],
        "from": float | str | None,
        "to": float | str | None,
    },
)


@with_config(EXACTLY)
class ShownHandling(TypedDict):
    """What somebody has said about an alert."""

    status: Literal["acknowledged", "snoozed"]
    by: str
    reason: str | None
    at: Instant
    until: Annotated[Instant, Field(description="When it ends, unless the account gets worse or well again before.")]


@with_config(EXACTLY)
class ShownAlert(TypedDict):
    """An alert: what changed, why it matters, and what to do."""

    alert_id: str
    account_id: str
    path: Annotated[str, Field(description="Where the account is, ready to be asked for.")]
    kind: str
    severity: Literal["high", "medium", "low"]
    day: Annotated[Day, Field(description="The night's day.")]
    created_at: Instant
    title: str
    why: str
    evidence: list[ShownEvidence]
    action: str
    band: Band | None
    owner: str | None
    also: Annotated[list[str], Field(description="Kinds that it tells along: other rules saw the same fall.")]
    status: Annotated[str, Field(description="`pending` until it was `sent`; see docs/alerts.md.")]
    handling: Annotated[ShownHandling | None, Field(description="Who has it in hand; null where nobody has said so.")]


@with_config(EXACTLY)
class AccountAlerts(TypedDict):
    """An account's alerts, newest first."""

    account_id: str
    alerts: list[ShownAlert]
    next_cursor: Cursor


@with_config(EXACTLY)
class DayAlerts(TypedDict):
    """A night's alerts."""

    date: Day
    alerts: list[ShownAlert]
    next_cursor: Cursor


@with_config(EXACTLY)
class ErasedAccount(TypedDict):
    """Nothing that mentions the account is left."""

    account_id: str
    erased: Literal[True]


@with_config(EXACTLY)
class ErasedUser(TypedDict):
    """Nothing in the account that mentions the user is left."""

    account_id: str
    user_id: str
    erased: Literal[True]


@with_config(EXACTLY)
class BandSummary(TypedDict):
    """The accounts of a band."""

    accounts: Count
    accounts_before: Annotated[
        Count, Field(description="Of the accounts scored, those in it at their snapshot before.")
    ]
    arr: Arr


ShownMover = TypedDict(
    "ShownMover",
    {
        "account_id": str,
        "path": str,
        "name": str,
        "since": Annotated[Day, Field(description="The day of the snapshot before.")],
        "from": Score,
        "to": Score,
    },
)


@with_config(EXACTLY)
class Movers(TypedDict):
    """The accounts that moved most, first those that moved furthest."""

    up: list[ShownMover]
    down: list[ShownMover]


@with_config(EXACTLY)
class Summary(TypedDict):
    """The workspace as the newest finished night left it."""

    date: Day | None
    as_of: Instant | None
    accounts: Count
    bands: dict[Literal["healthy", "at_risk", "critical"], BandSummary]
    movers: Movers
