"""Rows as lines of CSV (RFC 4180), made by DuckDB.

A text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.dataset.columns import Type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.dataset.columns import Column

BEGIN = "\ufeff"
"""Tells spreadsheets that the text is UTF-8."""
END_OF_LINE = "\r\n"
_HARMLESS = r"CASE WHEN regexp_matches({0}, '^[=+\-@\t\r]') THEN chr(39) || {0} ELSE {0} END"
_TEXT = f"""'"' || replace({_HARMLESS}, '"', '""') || '"'"""
_NUMBER = "CASE WHEN {0} = trunc({0}) AND abs({0}) <= 1e15 THEN {0}::BIGINT::VARCHAR ELSE {0}::VARCHAR END"
_TIME = "make_timestamp(epoch_us({0}))"
_INSTANT = (
    f"CASE WHEN epoch_ms({{0}}) % 1000 = 0 THEN strftime({_TIME}, '%Y-%m-%dT%H:%M:%SZ') "
    f"ELSE strftime({_TIME}, '%Y-%m-%dT%H:%M:%S.%gZ') END"
)
_CELLS = {Type.TEXT: _TEXT, Type.NUMBER: _NUMBER, Type.INSTANT: _INSTANT}


def header(columns: Iterable[Column]) -> str:
    """The first line."""
    return ",".join(column.name for column in columns)


def line(columns: Iterable[Column]) -> str:
    """The expression that is a row's line; what is not known is an empty cell."""
    cells = (_CELLS.get(column.type, "{0}::VARCHAR").format(f'"{column.name}"') for column in columns)
    return " || ',' || ".join(f"coalesce({cell}, '')" for cell in cells)
