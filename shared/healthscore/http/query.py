"""Query parameters: a route declares those that it knows, each with its description and how it is read.

The router refuses every other one, so that a typing error is not taken for "no filter".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.time import parse_instant
from healthscore.http.errors import invalid_request, shown
from healthscore.http.plain import has_control_characters, read_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from healthscore.http.errors import ApiError
    from healthscore.http.request import Request


class Parameter:
    """A query parameter.

    Attributes:
        name: as it is sent.
        description: for the integrator who reads the API's description, in Markdown.
        schema: its JSON Schema.
    """

    __slots__ = ("description", "name", "schema")

    def __init__(self, name: str, description: str, schema: Mapping[str, Any]) -> None:
        self.name = name
        self.description = description
        self.schema = schema

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which it is told to who asks for another one."""
        return (self.name,)

    def takes(self, name: str) -> bool:
        """Whether a name in a query is this parameter's."""
        return name == self.name

    def _unreadable(self, text: str, error: ValueError, hint: str = "") -> ApiError:
        return invalid_request(f"{self.name} {shown(text)} cannot be read: {error}.{hint}")


class OneOf(Parameter):
    """A parameter that has one of a few values."""

    __slots__ = ()

    def __init__(self, name: str, description: str, values: Iterable[str]) -> None:
        super().__init__(name, description, {"type": "string", "enum": list(values)})

    def read(self, request: Request) -> str | None:
        """The value; None where the parameter is left out.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        text = request.query.get(self.name)
        if text is not None and text not in self.schema["enum"]:
            known = ", ".join(self.schema["enum"])
            raise invalid_request(f"{self.name} {shown(text)} is not known; it may be {known}.")
        return text


class Text(Parameter):
    """A parameter that is one line of text."""

    __slots__ = ()

    def __init__(self, name: str, description: str, longest: int) -> None:
        super().__init__(name, description, {"type": "string", "minLength": 1, "maxLength": longest})

    def read(self, request: Request) -> str | None:
        """The text, without spaces at its ends; None where the parameter is left out.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        text, longest = request.query.get(self.name), self.schema["maxLength"]
        if text is None:
            return None
        if not text.strip() or len(text) > longest or has_control_characters(text):
            raise invalid_request(
                f"{self.name} must be a text of 1 to {longest} characters, none of them a control character."
            )
        return text.strip()


class Day(Parameter):
    """A parameter that is a calendar day, `YYYY-MM-DD`."""

    __slots__ = ()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, description, {"type": "string", "format": "date"})

    def read(self, request: Request) -> date | None:
        """The day; None where the parameter is left out.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        text = request.query.get(self.name)
        if text is None:
            return None
        try:
            return read_day(text)
        except ValueError as error:
            raise self._unreadable(text, error) from None


class Instant(Parameter):
    """A parameter that is an RFC 3339 timestamp with its offset."""

    __slots__ = ()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, description, {"type": "string", "format": "date-time"})

    def read(self, request: Request) -> datetime | None:
        """The instant, in UTC; None where the parameter is left out.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        text = request.query.get(self.name)
        if text is None:
            return None
        try:
            return parse_instant(text)
        except ValueError as error:
            hint = " In a URL the + of an offset is written %2B." if " " in text else ""
            raise self._unreadable(text, error, hint) from None


class InstantOrDay(Parameter):
    """A parameter that is an RFC 3339 timestamp with its offset, or a calendar day."""

    __slots__ = ()

    def __init__(self, name: str, description: str) -> None:
        formats = [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]
        super().__init__(name, description, {"anyOf": formats})

    def read(self, request: Request) -> datetime | date | None:
        """The instant, in UTC, or the day; None where the parameter is left out.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        text = request.query.get(self.name)
        kind = Day if text is not None and len(text) <= len("2026-11-21") else Instant
        return kind(self.name, self.description).read(request)


class Limit(Parameter):
    """The parameter `limit`: how many entries a page may have."""

    __slots__ = ()

    def __init__(self, *, most: int, default: int) -> None:
        described = f"How many entries a page may have; {default} where it is left out."
        super().__init__("limit", described, {"type": "integer", "minimum": 1, "maximum": most, "default": default})

    def read(self, request: Request) -> int:
        """The number.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        text, most = request.query.get(self.name), self.schema["maximum"]
        if text is None:
            return int(self.schema["default"])
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
            raise invalid_request(f"limit must be a whole number from 1 to {most}.")
        return int(text)


def only(request: Request, known: Iterable[Parameter]) -> None:
    """Refuse parameters that a route does not know.

    Raises:
        ApiError: 400 `invalid_request` naming them.
    """
    if not request.query:
        return
    known = tuple(known)
    unknown = [name for name in request.query if not any(parameter.takes(name) for parameter in known)]
    if unknown:
        wrong = ", ".join(shown(name) for name in unknown[:5])
        names = [name for parameter in known for name in parameter.names]
        knows = f"it knows {', '.join(names)}" if names else "it takes none"
        raise invalid_request(f"This route has no query parameter {wrong}; {knows}.")
