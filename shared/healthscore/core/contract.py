"""What an account pays, and when its contract renews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.model import CrmFacts

MAX_ARR = 10**15
"""The largest annual recurring revenue that the API takes."""


class Contract(NamedTuple):
    """What an account pays a year, and when its contract renews, as book and summary show it."""

    arr: float | None
    renewal_date: str | None

    @classmethod
    def of(cls, profile: Mapping[str, Any], crm: CrmFacts | None) -> Contract:
        """The profile's values; where the profile has none, the CRM's."""
        renewal = None if crm is None or crm.renewal_date is None else crm.renewal_date.isoformat()
        arr = None if crm is None else crm.arr
        return cls(profile.get("arr", arr), profile.get("renewal_date", renewal))
