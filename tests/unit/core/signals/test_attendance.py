"""The fleet's weeks: what each account adds, and that weeks decided one by one are those of the whole history."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import pytest

from healthscore.core.model import MICROS
from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.signals.attendance import (
    DecidedWeek,
    attendance_of,
    counted_signals,
    decided,
    excused,
    last_finished,
)
from healthscore.core.signals.calendar import monday, week_of
from healthscore.core.signals.excused import Attendance, quiet_weeks
from healthscore.core.signals.history import DayUse, fold
from healthscore.core.signals.model import Definitions, Profile, UsageChannel

WEEK = week_of(738_004)
SIGNALS = ("active_days", "value", "integration:jira")


def weekly(*weeks, people=("kim",), value=0, jira=0):
    """A history with one active day in each of some weeks, the first of them partial."""
    return fold(
        DayUse(
            monday(WEEK + week) + 3,
            people=frozenset(people),
            value=value * MICROS,
            integrations={"jira": jira * MICROS},
        )
        for week in weeks
    )


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ([0, *range(1, 14)], {"active_days": Attendance(12, 1)}),
        ([0, *range(1, 13)], {"active_days": Attendance(12, 0)}),
        ([0, *range(5, 14)], {"active_days": Attendance(8, 1)}),
        ([0, *range(6, 14)], {}),
        ([*range(5, 14)], {}),  # the first week, of four days, is none
        ([], {}),
    ],
)
def test_attendance__weeks_of_an_account__is_expected_from_eight_of_twelve_on(weeks, expected):
    assert attendance_of(weekly(*weeks), Profile(), WEEK + 13, SIGNALS) == expected


def test_attendance__later_weeks__are_not_looked_at():
    assert attendance_of(weekly(*range(30)), Profile(), WEEK + 13, SIGNALS) == {"active_days": Attendance(12, 1)}


def test_attendance__each_signal__is_counted_by_itself():
    history = fold(
        DayUse(monday(WEEK + week), value=MICROS if week < 13 else 0, integrations={"jira": MICROS * (week > 4)})
        for week in range(14)
    )
    assert attendance_of(history, Profile(usage_channel=UsageChannel.API), WEEK + 13, SIGNALS) == {
        "active_days": Attendance(12, 1),
        "value": Attendance(12, 0),
        "integration:jira": Attendance(8, 1),
    }


def test_attendance__customer_who_has_left__is_not_expected():
    assert attendance_of(weekly(*range(14)), Profile(churned=True), WEEK + 13, SIGNALS) == {}


def test_attendance__api__counts_days_of_nobody():
    history = weekly(*range(14), people=())
    assert attendance_of(history, Profile(), WEEK + 13, SIGNALS) == {}
    api = Profile(usage_channel=UsageChannel.API)
    assert attendance_of(history, api, WEEK + 13, SIGNALS) == {"active_days": Attendance(12, 1)}


def test_counted_signals__of_a_workspace__are_active_days_value_and_its_integrations():
    definitions = Definitions(integrations={"slack": frozenset({"sent"}), "jira": frozenset({"created"})})
    assert counted_signals(definitions) == ("active_days", "value", "integration:jira", "integration:slack")


@pytest.mark.parametrize(("night", "week"), [(0, -1), (1, -1), (6, -1), (7, 0)])
def test_last_finished__from_monday_to_sunday__is_the_week_before(night, week):
    assert last_finished(monday(WEEK) + night) == WEEK + week


def test_excused__decided_weeks_and_quiet_days__are_those_of_all_and_of_signals():
    weeks = [
        decided(WEEK, {"active_days": Attendance(240, 13), "value": Attendance(240, 13)}),
        decided(WEEK + 1, {"active_days": Attendance(240, 14), "value": Attendance(240, 13)}),
        DecidedWeek(WEEK + 2, {}, frozenset()),
    ]
    found = excused(weeks, quiet_days=[monday(WEEK + 5) + 6])
    assert found.weeks == {WEEK, WEEK + 5}
    assert [found.excuses("value", WEEK + at) for at in range(4)] == [True, True, False, False]
    assert not found.excuses("active_days", WEEK + 1)


@pytest.mark.parametrize("seed", range(5))
def test_weeks__decided_one_by_one_from_parts__are_those_of_the_whole_history(seed):
    """Among accounts that come and go, two weeks are quiet for everybody, and in another one an integration breaks."""
    random = Random(seed)
    accounts = []
    for _ in range(80):
        first, often = random.randrange(0, 200), random.choice([10, 40, 70])
        until = random.randrange(300, 500)
        days = [
            day
            for day in range(first, until)
            if day == first or (random.randrange(100) < often and not 280 <= day < 294)
        ]
        jira = random.random() < 0.8
        accounts.append(
            fold(
                DayUse(
                    monday(WEEK) + day,
                    people=frozenset({"kim"}),
                    value=MICROS * random.randrange(2),
                    integrations={"jira": MICROS * (jira and not 350 <= day < 357)},
                )
                for day in days
            )
        )
    whole = {key: quiet_weeks((active(history, key), WEEK + 70) for history in accounts) for key in SIGNALS}
    found = defaultdict(set)
    for week in range(WEEK, WEEK + 71):
        parts = [RunTotals() for _ in range(3)]
        for history in accounts:
            random.choice(parts).add_attendance(attendance_of(history, Profile(), week, SIGNALS))
        total = RunTotals()
        for part in parts:
            total.merge(RunTotals.from_stored(part.stored()))
        for key in decided(week, total.attendance).quiet:
            found[key].add(week)
    assert {key: frozenset(found[key]) for key in SIGNALS} == whole
    assert whole["active_days"] >= {WEEK + 40, WEEK + 41}
    assert whole["integration:jira"] >= {WEEK + 50}


def active(history, key):
    first = history.first_week
    if key == "active_days":
        return frozenset(week for day in history.days(UsageChannel.PEOPLE).days if (week := week_of(day)) >= first)
    return frozenset(week for week, value in history.weekly.get(key, {}).items() if value and week >= first)


def test_run_totals__of_the_version_before__have_no_attendance():
    stored = RunTotals().stored()
    del stored["attendance"]
    assert RunTotals.from_stored(stored) == RunTotals()
