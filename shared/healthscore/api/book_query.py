"""The query of the book: filters by every column, the order, and the cursor."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.acknowledgement import AcknowledgementStatus
from healthscore.core.dataset.columns import Type
from healthscore.core.dataset.question import SHOWN, Filter, Order
from healthscore.core.dataset.walk import Place, Walk
from healthscore.core.model import STATES, Band
from healthscore.core.scoring.trend import Direction
from healthscore.core.time import DAY, parse_instant
from healthscore.http.cursors import no_cursor
from healthscore.http.errors import invalid_request, shown
from healthscore.http.plain import MAX_TEXT, has_control_characters, read_day
from healthscore.http.query import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.dataset.columns import Column
    from healthscore.core.dataset.question import Value
    from healthscore.core.dataset.walk import Key
    from healthscore.http.request import Request

MAX_VALUES = 50
"""Values of one column, of which any will do."""
MAX_ORDERS = 3
MAX_PLACE = 4096
"""Bytes of a place in a cursor: an id and three texts of 200 characters."""
_COLUMNS = ", ".join(SHOWN)
_ALIASES = {"last_seen": "last_seen_at"}
"""Earlier names of orders."""
_CHOICES = {
    "band": [band.value for band in Band],
    "trend": [direction.value for direction in Direction],
    "risk_state": list(STATES),
    "risk_previous": list(STATES),
    "handling": [status.value for status in AcknowledgementStatus],
}
"""The values of columns that have few."""
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,12})?", re.ASCII)
_WHOLE_KEYS = {Type.WHOLE, Type.INSTANT, Type.FLAG}
_INT64 = 2**63


class Filters(Parameter):
    """Parameters that filter by a column: `owner=Ann`, `arr.min=1000`, `owner.known=false`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(
            "filters",
            f"Filters by any column: {_COLUMNS}. `owner=Ann` is exactly this value; repeated, one of these. Of "
            "numbers, days and instants `arr.min=1000` and `arr.max=60000` are the least and the greatest. "
            "`owner.known=false` are the accounts of which it is not known.",
            {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return (*SHOWN, "each with .known, and numbers, days and instants with .min and .max")

    def takes(self, name: str) -> bool:
        """Whether a name in a query is a column, or a column with `.min`, `.max` or `.known`."""
        column, _, suffix = name.partition(".")
        return column in SHOWN and suffix in {"", "min", "max", "known"} and not name.endswith(".")

    def read(self, request: Request) -> tuple[Filter, ...]:
        """The filters, in the order of the columns.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        asked = {name.partition(".")[0] for name in request.query if self.takes(name)}
        return tuple(_filter(column, request) for name, column in SHOWN.items() if name in asked)


def _filter(column: Column, request: Request) -> Filter:
    name = column.name
    values = request.values_of(name)
    if len(values) > MAX_VALUES:
        raise invalid_request(f"{name} may have {MAX_VALUES} values at most.")
    if column.type in {Type.TEXT, Type.FLAG} and any(f"{name}.{end}" in request.query for end in ("min", "max")):
        raise invalid_request(
            f"{name} has no order: it takes {name} and {name}.known, and not {name}.min or {name}.max."
        )
    known = _only(request, f"{name}.known")
    if known not in {None, "true", "false"}:
        raise invalid_request(f"{name}.known must be true or false.")
    return Filter(
        column,
        tuple(_value(column, name, text) for text in values),
        _bound(column, request, "min"),
        _bound(column, request, "max"),
        None if known is None else known == "true",
    )


def _bound(column: Column, request: Request, end: str) -> Value | None:
    name = f"{column.name}.{end}"
    text = _only(request, name)
    if text is None:
        return None
    if column.type is Type.INSTANT and len(text) <= len("2026-11-21"):
        day = _value(column, name, text, Type.DAY)
        start = datetime.combine(day, time.min, UTC)  # type: ignore[arg-type]  # what a DAY is read as
        return start if end == "min" else start + DAY - datetime.resolution
    return _value(column, name, text)


def _only(request: Request, name: str) -> str | None:
    values = request.values_of(name)
    if len(values) > 1:
        raise invalid_request(f"{name} may be given once.")
    return values[0] if values else None


def _value(column: Column, name: str, text: str, type_: Type | None = None) -> Value:
    choices = _CHOICES.get(column.name)
    if choices is not None and text not in choices:
        raise invalid_request(f"{name} {shown(text)} is not known; it may be {', '.join(choices)}.")
    try:
        value: Value = _READ[type_ or column.type](text)
    except (ValueError, OverflowError) as error:
        raise invalid_request(f"{name} {shown(text)} cannot be read: {error}.") from None
    return value


def _text(text: str) -> str:
    if not text.strip() or len(text) > MAX_TEXT or has_control_characters(text):
        raise ValueError(f"it must be a text of 1 to {MAX_TEXT} characters, none of them a control character")
    return text.strip()


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError("it must be a number such as 1000 or 12.5")
    return float(text)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("it must be true or false")
    return text == "true"


_READ: dict[Type, Any] = {
    Type.TEXT: _text,
    Type.WHOLE: _number,
    Type.NUMBER: _number,
    Type.FLAG: _flag,
    Type.DAY: read_day,
    Type.INSTANT: parse_instant,
}


class Sort(Parameter):
    """The parameter `sort`: up to three columns."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(
            "sort",
            "The order: up to three columns, separated by commas, each with a - before it to turn it round, such as "
            "`-arr,name`. Accounts of which a column is not known come last, both ways; equal ones are ordered by "
            "their ids. Worst score first where it is left out. Texts are compared without case and accents.",
            {"type": "string"},
        )

    def read(self, request: Request) -> tuple[Order, ...]:
        """The order.

        Raises:
            ApiError: 400 `invalid_request`.
        """
        text = request.query.get(self.name, "score")
        orders = tuple(self._order(part) for part in text.split(","))
        if len(orders) > MAX_ORDERS:
            raise invalid_request(f"sort may name {MAX_ORDERS} columns at most.")
        if len({order.column.name for order in orders}) < len(orders):
            raise invalid_request("sort names a column twice.")
        return orders

    def _order(self, text: str) -> Order:
        name = text.removeprefix("-")
        column = SHOWN.get(_ALIASES.get(name, name))
        if column is None:
            raise invalid_request(f"sort {shown(text)} is not known; it may be a column: {_COLUMNS}.")
        return Order(column, descending=text.startswith("-"))


def write_place(place: Place) -> str:
    """A place in the book as a cursor holds it."""
    walk = place.walk
    night = None if walk.night is None else walk.night.isoformat()
    return json.dumps(
        [night, walk.run, walk.overlay, walk.at, *place.keys, place.account_id],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def read_place(text: str, orders: Sequence[Order]) -> Place:
    """The place in a cursor.

    Raises:
        ApiError: 400 `invalid_request`: it was made up.
    """
    try:
        night, run, overlay, at, *keys, account_id = json.loads(text)
        walk = Walk(None if night is None else read_day(night), _name(run), _name(overlay), _whole(at))
        keys = tuple(_key(value, order) for value, order in zip(keys, orders, strict=True))
        return Place(walk, keys, _plain(account_id))
    except (ValueError, TypeError, RecursionError):
        raise no_cursor() from None


def _key(value: object, order: Order) -> Key:
    match value:
        case None:
            return None
        case bool():
            raise ValueError
        case int() if order.column.type in _WHOLE_KEYS and -_INT64 <= value < _INT64:
            return value
        case int() | float() if order.column.type is Type.NUMBER:
            return float(value)
        case str() if order.column.type in {Type.TEXT, Type.DAY}:
            return _plain(value)
    raise ValueError


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise ValueError
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\w:.-]*", value, re.ASCII):
        raise ValueError
    return value


def _plain(value: object) -> str:
    if not isinstance(value, str) or has_control_characters(value):
        raise ValueError
    return value
