"""Merges of accounts: several ids that are one account, for the past as well."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Merges:
    """All merges of a workspace."""

    into: Mapping[str, str] = field(default_factory=dict)
    """By id that was given up, the id of the account that goes on; that one was never given up."""
    moving: frozenset[str] = frozenset()
    """Ids that were given up and may still have logs of their own."""

    def canonical(self, account_id: str) -> str:
        """The id that an account goes by now."""
        return self.into.get(account_id, account_id)

    def given_up_for(self, account_id: str) -> list[str]:
        """The ids that were given up for an account."""
        return sorted(old for old, new in self.into.items() if new == account_id)

    def moving_to(self, account_id: str) -> list[str]:
        """The ids that were given up for an account, and may still have logs of their own."""
        return sorted(old for old in self.moving if self.into.get(old) == account_id)

    def with_merge(self, old: str, new: str) -> Merges:
        """With one more account given up for another one; those that were given up for the first go along."""
        into = {id_: new if target == old else target for id_, target in self.into.items()}
        return Merges({**into, old: new}, self.moving | {old})

    def moved(self, old: str) -> Merges:
        """With the logs of an id moved."""
        return Merges(self.into, self.moving - {old})

    def without(self, account_id: str) -> Merges:
        """Without an id that was given up, or all that were given up for an account."""
        into = {old: new for old, new in self.into.items() if account_id not in {old, new}}
        return Merges(into, self.moving & into.keys())

    def to_json(self) -> dict[str, Any]:
        """The merges as they are stored."""
        return {"into": dict(self.into), "moving": sorted(self.moving)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Merges:
        """Read what `to_json` wrote."""
        return cls(stored["into"], frozenset(stored["moving"]))


NO_MERGES = Merges()
