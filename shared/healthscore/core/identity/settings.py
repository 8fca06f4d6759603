"""The settings of a workspace on who is who."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.counting import NotCounted
from healthscore.core.identity.ids import folded

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Who is who.

    Attributes:
        placeholders: texts that name nobody, beside those of `core.identity.ids`.
        not_counted: the users who do not count.
    """

    placeholders: tuple[str, ...] = ()
    not_counted: NotCounted = field(default_factory=NotCounted)

    @property
    def folded_placeholders(self) -> frozenset[str]:
        """The placeholders as `names_nobody` compares them."""
        return frozenset(map(folded, self.placeholders))

    def to_json(self) -> dict[str, Any]:
        """The settings as `GET /v1/settings` shows them and as they are stored."""
        return {"placeholders": list(self.placeholders), "not_counted": self.not_counted.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> IdentitySettings:
        """Read what `to_json` wrote; a missing setting has its default."""
        not_counted = NotCounted.from_json(stored.get("not_counted", {}))
        return cls(placeholders=tuple(stored.get("placeholders", ())), not_counted=not_counted)
