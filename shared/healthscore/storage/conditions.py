"""Conditions of writes, named and joined: `all_of(ACCOUNT_EXISTS, TAKES_WRITES, unchanged("profile", read))`.

A condition names attributes as `#name` and the values that it compares with as `:if_name`, so it never collides with
the values that an update sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.storage.codec import Attribute


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one item."""

    expression: str
    names: tuple[str, ...]
    """The attributes that it names."""
    values: Mapping[str, Attribute] = field(default_factory=dict)
    """What it compares with, by placeholder."""


def exists(name: str) -> Condition:
    """The item has an attribute."""
    return Condition(f"attribute_exists(#{name})", (name,))


def absent(name: str) -> Condition:
    """The item does not have an attribute, or is not there."""
    return Condition(f"attribute_not_exists(#{name})", (name,))


EXISTS, ABSENT = exists("pk"), absent("pk")
"""The item is there, or not: in Activity, History and Settings."""
ACCOUNT_EXISTS, ACCOUNT_ABSENT = exists("account_id"), absent("account_id")
"""The account is there, or not."""
ERASING, NOT_MERGED = exists(schema.ERASING), absent(schema.INTO)
"""The account's erasure has begun; it was not given up for another one."""
TAKES_WRITES = Condition(
    f"{absent(schema.ERASING).expression} AND {NOT_MERGED.expression}", (schema.ERASING, schema.INTO)
)
"""The account is neither being erased nor given up for another one; it need not be there."""


def equals(name: str, value: Attribute) -> Condition:
    """An attribute has a value."""
    return _compared(name, "=", value)


def at_most(name: str, value: Attribute) -> Condition:
    """An attribute is not greater than a value."""
    return _compared(name, "<=", value)


def below(name: str, value: Attribute) -> Condition:
    """An attribute is less than a value."""
    return _compared(name, "<", value)


def contains(name: str, value: Attribute) -> Condition:
    """An attribute, a set or a text, contains a value."""
    return Condition(f"contains(#{name}, :if_{name})", (name,), {f":if_{name}": value})


def unchanged(name: str, read: str | None) -> Condition:
    """A text is still the one that was read; None: there still is none."""
    return absent(name) if read is None else equals(name, codec.text(read))


def version_is(version: str | None) -> Condition:
    """A head, or a person's item, still has the version that was read; None: the item is still not there."""
    return ABSENT if version is None else equals("v", codec.text(version))


def all_of(*conditions: Condition) -> Condition:
    """Every one of the conditions holds."""
    return _joined(" AND ", conditions)


def any_of(*conditions: Condition) -> Condition:
    """At least one of the conditions holds."""
    joined = _joined(" OR ", conditions)
    return Condition(f"({joined.expression})", joined.names, joined.values)


def _compared(name: str, operator: str, value: Attribute) -> Condition:
    return Condition(f"#{name} {operator} :if_{name}", (name,), {f":if_{name}": value})


def _joined(word: str, conditions: tuple[Condition, ...]) -> Condition:
    values: dict[str, Any] = {}
    for condition in conditions:
        values |= condition.values
    return Condition(
        word.join(condition.expression for condition in conditions),
        tuple(name for condition in conditions for name in condition.names),
        values,
    )
