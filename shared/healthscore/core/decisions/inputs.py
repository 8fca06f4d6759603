"""Everything that the risk of an account is computed from (signal rule 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from healthscore.core.signals.excused import Excused
from healthscore.core.signals.model import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.signals.history import History


@dataclass(frozen=True, slots=True)
class Inputs:
    """An account's use, its profile and what people have decided about it. Days and weeks are by number."""

    history: History
    profiles: tuple[tuple[int, Profile], ...] = ((0, Profile()),)
    """Each profile with the day from which on the nights have known it, oldest first."""
    excused: Excused = field(default_factory=Excused)
    accepted: tuple[int, ...] = ()
    """The days on which a person accepted the use as the new normal (signal rule 38), oldest first."""
    contacts: tuple[int, ...] = ()
    """The days of meetings and e-mails in the CRM, oldest first."""
    tickets: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """The open tickets at the ends of weeks, as far as the CRM has said."""

    def profile_on(self, day: int) -> Profile:
        """The profile that the night of a last complete day knows."""
        return next(profile for since, profile in reversed(self.profiles) if since <= day)
