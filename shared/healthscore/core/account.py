"""An account with all that is stored of it outside of its event logs and its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from healthscore.core.alerts.acknowledgement import Acknowledgement
    from healthscore.core.model import CrmFacts, DailyScore, Snapshot

RECENT_NIGHTS = 30
"""How many daily scores an account's item holds, so that most scores need not read the history."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it was read."""

    account_id: str
    since: datetime
    """When the account was first written, aware."""
    profile: dict[str, Any]
    """What admins have set; fields that no admin has set come from clients' group calls."""
    crm: CrmFacts | None
    first_seen: dict[str, datetime]
    """When each event name was first seen, aware."""
    latest: Snapshot | None
    """The newest night's score."""
    recent: tuple[DailyScore, ...]
    """The newest nights' scores, oldest first, `RECENT_NIGHTS` at most."""
    scores_version: str | None = None
    """Differs wherever `latest` or `recent` differs, as stored; None before the first score."""
    from_traits: tuple[str, ...] = ()
    """The fields of the profile that come from group calls; attributes as `attributes.<name>`."""
    erasing: bool = False
    """Whether its erasure has begun. Everything but the erasure then treats the account as gone."""
    into: str | None = None
    """The account for which it was given up. Everything but that account's merge then treats it as gone."""
    pending_user_erasures: tuple[str, ...] = ()
    """Users whose erasure has begun and may not be finished."""
    earlier_book: str | None = None
    """What a version before the dataset kept for its book, as stored; None where nothing is left of it."""
    counted_by: str | None = None
    """The setting by which users do not count, as of `core.identity.counting.NotCounted.text`, that its days follow."""
    earlier_profiles: str | None = None
    """What rules read of its profile at earlier times, as stored; None where nothing has changed since it began."""
    own_profile: str | None = None
    """What admins have set, as stored."""
    late: tuple[int, int] | None = None
    """The earliest day whose log has changed late, by number, and when, in seconds since the Unix epoch."""
    folded: int | None = None
    """The number of the day up to which the last night has folded its days into its use."""
    pending_days: Mapping[int, int] = field(default_factory=dict)
    """The days among them that are not stored as folded yet, and the versions of their logs."""
    acknowledgement: Acknowledgement | None = None
    """The latest acknowledgement of any of its alerts, also when it has ended."""

    @property
    def known_since(self) -> datetime:
        """The account's first sign of life: its first event or `since`, whichever was earlier."""
        return min([self.since, *self.first_seen.values()])
