"""An account as it is known now: what people, clients, CRMs and nights say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from healthscore.core.model import CrmFacts, DailyScore, Snapshot

RECENT_NIGHTS = 30
"""Daily scores that an account keeps at hand."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it was read."""

    account_id: str
    since: datetime
    """When the account was first written here."""
    profile: dict[str, Any]
    """What an admin has set, and what clients' group calls say where no admin has set anything."""
    crm: CrmFacts | None
    first_seen: dict[str, datetime]
    """When each event name was first seen."""
    latest: Snapshot | None
    """The newest night's score."""
    recent: tuple[DailyScore, ...]
    """The newest nights' scores, oldest first, `RECENT_NIGHTS` at most."""
    from_traits: tuple[str, ...] = ()
    """Names of what is in the profile by group calls; attributes as `attributes.<name>`."""
    erasing: bool = False
    """Whether its erasure has begun: then it is gone for all but those who finish that."""
    forgetting: tuple[str, ...] = ()
    """Users whose erasure has begun and is not known to be finished."""
    index_summary: str | None = None
    """What the book shows of profile and CRM, as stored (`storage.accounts.index`)."""
    acknowledgement: dict[str, Any] | None = None
    """What was said last about an alert of the account: `core.alerts.suppression.Acknowledgement` in its stored
    form."""

    @property
    def known_since(self) -> datetime:
        """The account's first sign of life: its first event or its being written here, whichever was earlier."""
        return min([self.since, *self.first_seen.values()])
