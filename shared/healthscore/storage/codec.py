"""Values as attributes of DynamoDB's items, written and read in one way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Attribute = dict[str, Any]
"""A value as DynamoDB's API names it: `{"S": "acme"}`."""
Item = dict[str, Any]
"""Attributes by name; a key is an item as well."""

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dumps(value: object) -> str:
    """JSON as all items hold it: no spaces, and characters beyond ASCII as they are.

    The text is compared in conditions, so the same value always has to become the same text.
    """
    return _COMPACT.encode(value)


def text(value: str) -> Attribute:
    """A text."""
    return {"S": value}


def number(value: int) -> Attribute:
    """A whole number."""
    return {"N": str(value)}


def binary(value: bytes) -> Attribute:
    """Bytes."""
    return {"B": value}


def flag(value: bool) -> Attribute:
    """True or false."""
    return {"BOOL": value}


def texts(values: Iterable[str]) -> Attribute:
    """A set of texts, at least one."""
    return {"SS": sorted(values)}


def json_text(value: object) -> Attribute:
    """A JSON value, as text."""
    return {"S": dumps(value)}


def size_of(attribute: Attribute) -> int:
    """Bytes of a text or binary value, which may be large; of any other, none."""
    return len(attribute["S"].encode()) if "S" in attribute else len(attribute.get("B", b""))


def key(pk: str, sk: str) -> Item:
    """The key of an item in the tables Activity, History and Settings."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def account_key(account_id: str) -> Item:
    """The key of an item in the table Accounts."""
    return {"account_id": {"S": account_id}}


def key_of(item: Mapping[str, Any]) -> Item:
    """The key of an item that was read from Activity, History or Settings."""
    return {"pk": item["pk"], "sk": item["sk"]}


def text_of(item: Mapping[str, Any], name: str) -> str:
    """A text that the item has. Raises KeyError where it does not, as do the other readers without a default."""
    value: str = item[name]["S"]
    return value


def optional_text_of(item: Mapping[str, Any], name: str) -> str | None:
    """A text, or None where the item has none."""
    return text_of(item, name) if name in item else None


def number_of(item: Mapping[str, Any], name: str) -> int:
    """A whole number that the item has."""
    return int(item[name]["N"])


def binary_of(item: Mapping[str, Any], name: str) -> bytes:
    """Bytes that the item has."""
    value: bytes = item[name]["B"]
    return value


def flag_of(item: Mapping[str, Any], name: str) -> bool:
    """A flag that the item has."""
    value: bool = item[name]["BOOL"]
    return value


def texts_of(item: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A set of texts; empty where the item has none."""
    return tuple(item[name]["SS"]) if name in item else ()


def json_of(item: Mapping[str, Any], name: str, default: Any = None) -> Any:  # noqa: ANN401  (JSON)
    """A JSON value, or `default` where the item does not have it."""
    return json.loads(item[name]["S"]) if name in item else default
