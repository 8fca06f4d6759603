"""A question about the book as SQL: conditions, orders and places. Every value is a bound parameter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.dataset.columns import Type
from healthscore.core.dataset.question import SHOWN
from healthscore.core.rounding import whole
from healthscore.core.time import format_instant, from_millis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthscore.core.dataset.columns import Column
    from healthscore.core.dataset.question import Filter, Order, Question
    from healthscore.core.dataset.walk import Key

JSON = frozenset({"attributes", "findings"})
"""The columns whose texts are JSON."""
FOLD = "CREATE MACRO fold(x) AS replace(replace(strip_accents(lower(x)), 'ß', 'ss'), chr(962), chr(963))"
"""Text without case and accents, for comparing and sorting. The Greek sigma at the end of a word is one as well."""


WITH_FOLDED = "*, fold(account_id) AS folded_id, fold(name) AS folded_name"
"""The columns of rows, and those by which they are searched and sorted."""
_FOLDED = {"account_id": "account_id", "name": "folded_name"}


class Parameters(dict[str, Any]):
    """The values of a statement, by name."""

    def bind(self, value: object) -> str:
        """Add a value; answers how the statement names it."""
        name = f"p{len(self)}"
        self[name] = value
        return f"${name}"


def matches(question: Question, bound: Parameters) -> str:
    """The condition that rows match a question's filters."""
    holds = [condition for one in question.filters for condition in _conditions(one, bound)]
    if question.q is not None:
        q = f"fold({bound.bind(question.q)}::VARCHAR)"
        holds.append(f"(contains(folded_id, {q}) OR coalesce(contains(folded_name, {q}), false))")
    return " AND ".join(holds) or "true"


def _conditions(one: Filter, bound: Parameters) -> list[str]:
    name, type_ = f'"{one.column.name}"', one.column.type.value
    holds = []
    if one.one_of:
        values = ", ".join(f"{bound.bind(value)}::{type_}" for value in one.one_of)
        holds.append(f"{name} IN ({values})")
    if one.least is not None:
        holds.append(f"{name} >= {bound.bind(one.least)}::{type_}")
    if one.most is not None:
        holds.append(f"{name} <= {bound.bind(one.most)}::{type_}")
    if one.known is not None:
        holds.append(f"{name} IS {'NOT ' if one.known else ''}NULL")
    return holds


def keys(orders: Sequence[Order]) -> str:
    """The columns k0, k1, … by which rows are ordered, before their ids."""
    return "".join(f", {_key(order.column)} AS k{number}" for number, order in enumerate(orders))


def order_by(orders: Sequence[Order]) -> str:
    """The order of rows that have their keys."""
    named = [f"k{number} {'DESC' if order.descending else 'ASC'} NULLS LAST" for number, order in enumerate(orders)]
    return ", ".join([*named, "account_id"])


def behind(orders: Sequence[Order], place: Sequence[Key], account_id: str, bound: Parameters) -> str:
    """The condition that rows which have their keys come behind a place."""
    condition = f"account_id > {bound.bind(account_id)}::VARCHAR"
    for number, (order, value) in reversed([*enumerate(zip(orders, place, strict=True))]):
        if value is None:  # the last ones of all, equal among themselves
            condition = f"(k{number} IS NULL AND {condition})"
            continue
        known = f"{bound.bind(value)}::{KEY_TYPES[order.column.type]}"
        sign = "<" if order.descending else ">"
        condition = f"(k{number} {sign} {known} OR k{number} IS NULL OR (k{number} = {known} AND {condition}))"
    return condition


KEY_TYPES = {
    Type.TEXT: "VARCHAR",
    Type.WHOLE: "BIGINT",
    Type.NUMBER: "DOUBLE",
    Type.FLAG: "TINYINT",
    Type.DAY: "VARCHAR",
    Type.INSTANT: "BIGINT",
}
"""The types of keys, by those of their columns."""


def _key(column: Column) -> str:
    name = f'"{column.name}"'
    match column.type:
        case Type.TEXT:
            return _FOLDED.get(column.name, f"fold({name})")
        case Type.INSTANT:
            return f"epoch_us({name})"
        case Type.WHOLE | Type.NUMBER:
            return name
        case _:
            return f"{name}::{KEY_TYPES[column.type]}"


def shown() -> str:
    """The shown columns of rows, in values that `document` reads."""
    return ", ".join(_SHOWN_AS.get(column.type, '"{0}"').format(column.name) for column in SHOWN.values())


_SHOWN_AS = {Type.DAY: '"{0}"::VARCHAR AS "{0}"', Type.INSTANT: 'epoch_ms("{0}") AS "{0}"'}


def document(values: Sequence[Any]) -> Mapping[str, Any]:
    """The shown columns of a row by their names, as JSON values."""
    return {column.name: _json(column, value) for column, value in zip(SHOWN.values(), values, strict=True)}


def _json(column: Column, value: Any) -> Any:  # noqa: ANN401  (a JSON value)
    if value is None:
        return None
    if column.name in JSON:
        return json.loads(value)
    if column.type is Type.INSTANT:
        return format_instant(from_millis(value))
    return whole(value) if column.type is Type.NUMBER else value
