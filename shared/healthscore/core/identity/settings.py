"""The settings of a workspace on who is who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.ids import folded

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Who is who.

    Attributes:
        placeholders: texts that name nobody, beside those of `core.identity.ids`.
    """

    placeholders: tuple[str, ...] = ()

    @property
    def folded_placeholders(self) -> frozenset[str]:
        """The placeholders as `names_nobody` compares them."""
        return frozenset(map(folded, self.placeholders))

    def to_json(self) -> dict[str, Any]:
        """The settings as `GET /v1/settings` shows them and as they are stored."""
        return {"placeholders": list(self.placeholders)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> IdentitySettings:
        """Read what `to_json` wrote; a missing setting has its default."""
        return cls(placeholders=tuple(stored.get("placeholders", ())))
