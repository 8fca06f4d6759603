"""Reads the examples of docs/identity.md: the calls of each, and the figures that it promises."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from tools import ROOT

if TYPE_CHECKING:
    from tests.support.identity_judge import Call, Figures

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
DAYS = ("Mon", "Tue", "Wed")
_EXAMPLE = re.compile(r"^### (.+?)$|^```\n(.+?)^```", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(\w{3}) (\d\d):(\d\d) +(\w+) +(.+)")
_PROMISE = re.compile(r"=> (\w+) +(\w{3}) +(\d+) events?, (\d+) (?:person|people), (\d+) sessions?")

Promise = dict[str, dict[str, tuple[int, int, int]]]
"""Events, people and sessions by account and day of the week."""


class Example(NamedTuple):
    """An example of the page."""

    title: str
    calls: list[Call]
    promised: Promise


def examples() -> list[Example]:
    """The examples of the page, each by the heading above it."""
    title, found = "", []
    for heading, block in _EXAMPLE.findall((ROOT / "docs" / "identity.md").read_text(encoding="utf-8")):
        title = heading or title
        if block:
            found.append(Example(title, *_read(block.splitlines())))
    return found


def figures_shown(figures: Figures) -> Promise:
    """Figures as the page shows them."""
    return {
        account: {f"{day:%a}": (one.events, one.people, one.sessions) for day, one in days.items()}
        for account, days in figures.items()
    }


def _read(lines: list[str]) -> tuple[list[Call], Promise]:
    calls, promised = [], Promise()
    for number, line in enumerate(lines):
        if promise := _PROMISE.fullmatch(line):
            account, day, *counts = promise.groups()
            promised.setdefault(account, {})[day] = tuple(map(int, counts))
            continue
        said = _CALL.fullmatch(line)
        assert said is not None, line
        day, hours, minutes, kind, fields = said.groups()
        at = MONDAY + timedelta(days=DAYS.index(day), hours=int(hours), minutes=int(minutes))
        call: Call = {"type": kind, "messageId": f"m{number}", "timestamp": at.isoformat()}
        for part in fields.split():
            _put(call, *part.split("=", 1))
        calls.append(call)
    return calls, promised


def _put(call: dict[str, Any], name: str, value: str) -> None:
    *path, last = name.split(".")
    for step in path:
        call = call.setdefault(step, {})
    call[last] = value == "true" if value in {"true", "false"} else value
