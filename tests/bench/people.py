"""What a call costs by whom it names: a user of a known account, a device, an account, or nobody known yet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from healthscore.api.segment_com_calls import parse_calls
from healthscore.core.time import format_instant
from healthscore.services.ingestion.identity import Tracker
from healthscore.settings import Settings
from tests.bench.costs import READ_UNIT, WRITE_UNIT
from tests.bench.engine import Meter, metered
from tests.bench.measuring import Section, Table
from tests.support.gateway import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

ANN, TABLET, ACME = {"userId": "ann"}, {"anonymousId": "tablet"}, {"context": {"groupId": "acme"}}
BEFORE = {
    "a user, first on a day": (5, 4, 3.5),
    "a user, later on a day": (3, 4, 2.5),
    "a user who names the account, first on a day": (2, 1, 1.5),
    "a user who names the account, later on a day": (2, 1, 1.5),
    "a device, first on a day": (4, 6, 3.5),
    "a device, later on a day": (4, 6, 3.5),
    "a device that names the account, first on a day": (2, 1, 1.5),
    "a device that names the account, later on a day": (2, 1, 1.5),
}
"""Calls to DynamoDB, write units and read units of the version that moved events from log to log (commit d189914)."""
A_DAY = 10
"""Events of a person on a day, each in a request of its own."""


def measure() -> Section:
    """Track an event each way, in the morning and later on the same day, of people whose account is known."""
    Tracker(Settings(), NOW, lambda: 60.0).record(
        _parsed({"type": "identify", **ANN, **TABLET}, {"type": "group", **ANN, "groupId": "acme"})
    )
    ways = {
        "a user": ANN,
        "a user who names the account": {**ANN, **ACME},
        "a device": TABLET,
        "a device that names the account": {**TABLET, **ACME},
    }
    rows, days_rows, figures = [], [], {}
    for way, said in ways.items():
        _track(said, days=2)  # the first event ever of its kind
        meters = {f"{way}, {when} on a day": _track(said, days=1) for when in ("first", "later")}
        for name, meter in meters.items():
            rows.append(
                [
                    name,
                    meter.calls,
                    f"{meter.writes:g}",
                    f"{meter.reads:g}",
                    "{} calls, {} and {}".format(*BEFORE[name]),
                ]
            )
            figures |= {f"calls {name}": meter.calls, f"writes {name}": meter.writes, f"reads {name}": meter.reads}
        first, later = ((meter.writes, meter.reads) for meter in meters.values())
        first_before, later_before = (BEFORE[name][1:] for name in meters)
        was, now = _dollars(first_before, later_before), _dollars(first, later)
        days_rows.append([way, f"{was:.2f}", f"{now:.2f}", f"{now / was:.2f}"])
    headings = ["event of", "calls to DynamoDB", "write units", "read units", "the version before"]
    of_days = ["events of", "dollars a million before", "dollars a million now", "ratio"]
    parts = [_ABOUT, Table(headings, rows), _DAYS, Table(of_days, days_rows)]
    return Section("Events by whom they name", parts, figures)


def _dollars(first: tuple[float, float], later: tuple[float, float]) -> float:
    """Dollars a million events, `A_DAY` a person and day, by the write and read units of one event."""
    writes, reads = (one + (A_DAY - 1) * other for one, other in zip(first, later, strict=True))
    return (writes * WRITE_UNIT + reads * READ_UNIT) / A_DAY


_ids: Iterator[int] = iter(range(10**6))


def _track(said: dict[str, Any], *, days: int) -> Meter:
    at = format_instant(NOW - timedelta(days=days, minutes=5))
    call = {"type": "track", "event": "report_viewed", "messageId": f"m{next(_ids)}", "timestamp": at, **said}
    with metered() as meter:
        assert Tracker(Settings(), NOW, lambda: 60.0).record(_parsed(call)).accepted == 1
    return meter


def _parsed(*calls: dict[str, Any]) -> Any:
    earlier = format_instant(NOW - timedelta(days=9))
    body = {"batch": [{"timestamp": earlier, **call} for call in calls]}
    return parse_calls(body, None, NOW, Settings()).calls


_ABOUT = """One event a request, of an account with few events that day. An event that names no account is kept in its
person's own log as well, so both are written together. The first of a person on a day reads who the person is, and is
written only if that has not changed, which its transaction checks; the first of an account on a day checks as well that
the account is there. The first event of a user in the table is both."""
_DAYS = f"""DynamoDB's price of {A_DAY} events of a person on a day, each in a request of its own:"""
