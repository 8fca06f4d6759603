"""The fleet's weeks (table Settings): what a night has decided of each finished week, once (signal rule 28)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from healthscore.core.signals.attendance import DecidedWeek, decided
from healthscore.core.signals.calendar import date_of, monday, week_of
from healthscore.core.signals.excused import Attendance
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.storage.codec import Item

_SIGNALS = "signals"


def decide(week: int, totals: Mapping[str, Attendance]) -> None:
    """Decide a week by who came, unless it is decided: what was decided first stays.

    Args:
        week: the finished week.
        totals: the attendance of all accounts, by signal.

    Raises:
        StorageUnavailableError: not kept.
    """
    decision = decided(week, totals)
    signals = {
        key: {"expected_twelfths": total.expected_twelfths, "here": total.here, "excused": key in decision.quiet}
        for key, total in sorted(totals.items())
    }
    item = {**codec.key(schema.ATTENDANCE_PK, date_of(monday(week)).isoformat()), _SIGNALS: codec.json_text(signals)}
    with suppress(ConditionFailedError):
        writes.apply(writes.put(schema.settings_table(), item, conditions.ABSENT))


def read() -> tuple[DecidedWeek, ...]:
    """What is decided of each week, oldest first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(schema.settings_table(), schema.ATTENDANCE_PK)
    return tuple(_decided_week(item) for item in pages(dynamodb().query, **request))


def _decided_week(item: Item) -> DecidedWeek:
    signals = codec.json_of(item, _SIGNALS)
    return DecidedWeek(
        week=week_of(date.fromisoformat(codec.text_of(item, "sk")).toordinal()),
        attendance={key: Attendance(of["expected_twelfths"], of["here"]) for key, of in signals.items()},
        quiet=frozenset(key for key, of in signals.items() if of["excused"]),
    )
