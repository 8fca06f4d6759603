"""The fleet's weeks in nights: counted in the night that knows a finished week, decided once, and kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.excused import Attendance
from healthscore.services.nightly.finish import finish_run
from healthscore.services.nightly.plan import plan_run
from healthscore.storage.runs import attendance
from tests.integration.nightly.nights import (
    NIGHT,
    Killed,
    Killer,
    Tables,
    Topic,
    account,
    items,
    night,
    outbox_of,
    schedule,
    use,
)

pytestmark = pytest.mark.no_cover  # it would double their time, and shorter tests reach the same lines
MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)
WEEK = week_of(date(2026, 11, 16).toordinal())
"""The last finished week in Monday's night."""
ALL = 12 * Attendance(1, 0).expected_twelfths


def came(account_id, *weeks_ago):
    """An account with an event on the Wednesdays of weeks, counted back from the last finished one."""
    account(account_id)
    for weeks in sorted(weeks_ago, reverse=True):
        use(account_id, MONDAY - timedelta(days=5 + 7 * weeks))


def run(topic, at=MONDAY, **options):
    return night(topic, schedule(at), now=at, **options)


def stored():
    return {key: item for key, item in items("SETTINGS_TABLE").items() if key[0] == "fleet"}


@pytest.fixture
def three(topic):
    """Three accounts that came in each of twelve weeks, of which one came in the last one too, and a newcomer."""
    came("here", *range(14))
    came("away", *range(1, 14))
    came("away too", *range(1, 14))
    came("new", 0, 1)
    return topic


def test_night__of_a_monday__decides_the_week_that_is_over(three):
    run(three, parts=2)
    assert attendance.read() == (attendance.decided(WEEK, {"active_days": Attendance(3 * ALL, 1)}),)
    assert list(stored()) == [("fleet", "2026-11-16")]


def test_night__twenty_expected_and_most_away__excuses_the_week(topic):
    for number in range(20):
        came(f"a{number}", *range(1, 14))
    run(topic)
    (week,) = attendance.read()
    assert week.quiet == {"active_days"}


def test_night__of_another_day__decides_a_week_whose_monday_was_missed(three):
    run(three, MONDAY + 2 * NIGHT)
    assert attendance.read() == (attendance.decided(WEEK, {"active_days": Attendance(3 * ALL, 1)}),)


def test_week__that_is_decided__stays_whatever_comes_late(three):
    run(three)
    before = stored()
    use("away", MONDAY - timedelta(days=4))
    run(three, MONDAY + NIGHT)
    run(three, MONDAY)
    assert stored() == before


def test_night__with_a_part_that_is_missing__leaves_the_week_to_the_next(three):
    planned = plan_run(schedule(MONDAY), MONDAY)
    totals = RunTotals(scored=2)
    totals.add_attendance({"active_days": Attendance(ALL, 1)})
    finish_run(planned, [totals], outbox_of(three), keep_going=lambda: True, missing=[7], parts=20)
    assert stored() == {}
    run(three, MONDAY + NIGHT)
    assert attendance.read()[0].attendance == {"active_days": Attendance(3 * ALL, 1)}


def test_backfill__of_a_day__decides_nothing(three):
    night(three, {"date": "2026-11-17"}, now=MONDAY)
    assert stored() == {}


def test_night__killed_at_any_write_and_run_again__decides_the_same(topic):
    came("here", *range(14))
    came("away", *range(1, 14))
    tables, killer = Tables(), Killer()
    with killer.watching():
        run(topic)
    expected, writes = stored(), len(killer.writes)
    assert attendance.read()[0].attendance == {"active_days": Attendance(2 * ALL, 1)}
    for done in range(writes + 1):
        tables.bring_back()
        again = Topic()
        again.killer = Killer.after_writes(done, writes)
        with again.killer.watching(), pytest.raises(Killed):
            run(again)
        again.killer = Killer()
        run(again)
        assert stored() == expected, f"another week after dying at {done}"
