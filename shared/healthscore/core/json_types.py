"""The JSON values that answers are made of, as types: checked by mypy, and shown in the API's description.

Only type checkers and the generator of the description import this module, no function on a cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


class Shown:
    """What the description says of a type beside its kind: further members of its JSON Schema."""

    def __init__(self, **schema: Any) -> None:  # noqa: ANN401  (any JSON value)
        self._schema = schema

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]) -> Any:  # noqa: ANN401  (Pydantic's own types)
        """The JSON Schema of an annotated type, by Pydantic's protocol."""
        return {**handler(core_schema), **self._schema}


Score = Annotated[int, Shown(minimum=0, maximum=100)]
Count = Annotated[int, Shown(minimum=0)]
Money = Annotated[float, Shown(minimum=0)]
"""In the workspace's one currency."""
Day = Annotated[str, Shown(format="date")]
"""A calendar day of the workspace's time zone."""
Instant = Annotated[str, Shown(format="date-time")]
"""RFC 3339, UTC."""
BandName = Literal["healthy", "at_risk", "critical"]
DirectionName = Literal["improving", "declining", "steady", "unknown"]
Color = Annotated[str, Shown(enum=["green", "amber", "red"])]
ComponentName = Literal["activity", "engagement", "milestones", "recency", "crm"]
StateName = Annotated[str, Shown(enum=["ok", "monitor", "yellow", "red"])]
"""Of an account's risk."""
