"""An account's use worked out plainly, from everything that is in its logs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from healthscore.core.signals import day_bits, packed_use
from healthscore.core.signals.calendar import monday, sunday, week_of
from healthscore.core.signals.history import DayUse, day_use
from healthscore.core.signals.model import Definitions
from healthscore.core.signals.use import NO_USE, Use
from healthscore.core.time import DAY
from healthscore.services.folding import known_use
from healthscore.storage import schema, workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.accounts import use as stored_use
from healthscore.storage.day_logs import whole_days

if TYPE_CHECKING:
    from datetime import date


def plain_days(account_id: str, yesterday: date, definitions: Definitions) -> dict[int, DayUse]:
    """What each day of an account's logs says, up to one."""
    pk, found = schema.activity_pk(account_id), {}
    for day in whole_days.days(pk):
        values: dict[tuple[str | None, str], int] = defaultdict(int)
        for entry in whole_days.read_day(pk, day):
            if entry.counts:
                values[entry.who, entry.name] += entry.value
        if values and day <= yesterday:
            found[day.toordinal()] = day_use(day.toordinal(), values, definitions)
    return found


def plain_use(account_id: str, yesterday: date, definitions: Definitions | None = None) -> Use:
    """The use that all logs up to a day add up to, folded at once."""
    uses = plain_days(account_id, yesterday, definitions or Definitions())
    weeks = {week_of(day) for day in uses if sunday(week_of(day)) <= yesterday.toordinal()}
    days: dict[int, DayUse | None] = dict(uses)
    for week in weeks:
        days |= {day: uses.get(day) for day in range(monday(week), sunday(week) + 1)}
    return NO_USE.fold(days, weeks)


def packed(use: Use) -> tuple[bytes, bytes]:
    """A use as bytes, without what is no fold of logs."""
    kept = {name: getattr(NO_USE, name) for name in ("versions", "definitions", "progress", "contacts", "tickets")}
    of_logs = replace(use, **kept)
    return packed_use.pack_days(of_logs), packed_use.pack_weeks(of_logs)


def assert_exact(account_id: str, yesterday: date, definitions: Definitions | None = None) -> None:
    """An account's use is, bit for bit, what its logs add up to; what is stored of it, up to the last finished week."""
    now = datetime.combine(yesterday + DAY, time(2), UTC)
    account = accounts.get(account_id)
    assert account is not None
    known = known_use(account, workspace.settings().settings, now)
    expected = plain_use(account_id, yesterday, definitions)
    assert packed(known.use) == packed(expected), (known, expected)
    stored, running = stored_use.read(account_id), week_of(yesterday.toordinal() + 1)
    assert packed(stored)[1] == packed(expected)[1], (stored, expected)
    assert _before(running, stored.any_days) == _before(running, expected.any_days)
    assert {one: of for one, days in stored.people.items() if (of := _before(running, days))} == {
        one: of for one, days in expected.people.items() if (of := _before(running, days))
    }


def _before(week: int, days: int) -> int:
    return days ^ day_bits.since(days, week)
