"""A workspace's options for a CRM: read from JSON, checked, and kept in a frozen value. They hold no secrets."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_TEXT, _MAX_LIST, _MAX_NUMBER = 200, 50, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of every CRM. A field's default says which type of value it takes."""

    account_property: str = "account_id"
    """The company property that holds the account's id, where a user has entered it."""
    write_back: bool = False
    """Whether scores are written to the CRM's companies."""
    webhook_url: str = ""
    """The full URL that the CRM sends webhooks to; empty where it sends none."""

    def to_json(self) -> dict[str, Any]:
        """The JSON object that `read` takes."""
        return {
            field.name: list(value) if isinstance(value := getattr(self, field.name), tuple) else value
            for field in fields(self)
        }


T = TypeVar("T", bound=Options)


def read(kind: type[T], body: Mapping[str, Any]) -> T:
    """Read options; a field that is left out has its default.

    Raises:
        ValueError: a field is unknown or has a wrong value; the message names it, and what it must be.
    """
    standard = kind()
    known = {field.name: getattr(standard, field.name) for field in fields(kind)}
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise ValueError(f"there is no option {unknown[0][:_MAX_TEXT]!r}; there are {', '.join(known)}")
    checked: dict[str, Any] = {name: _checked(name, value, known[name]) for name, value in body.items()}
    return kind(**checked)


def _checked(name: str, value: object, standard: object) -> object:
    match standard:
        case bool():
            if isinstance(value, bool):
                return value
            raise ValueError(f"{name} must be true or false")
        case int():
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_NUMBER:
                return value
            raise ValueError(f"{name} must be a whole number from 1 to {_MAX_NUMBER}")
        case tuple():
            if isinstance(value, list) and len(value) <= _MAX_LIST and all(map(_is_text, value)):
                return tuple(value)
            raise ValueError(f"{name} must be a list of at most {_MAX_LIST} strings")
        case _:
            if _is_text(value):
                return value
            raise ValueError(f"{name} must be a string of at most {_MAX_TEXT} characters")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT and value.isprintable()
