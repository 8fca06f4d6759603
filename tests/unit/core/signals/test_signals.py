"""The figures that are read from a signal, and when there are none."""

from __future__ import annotations

from datetime import date

import pytest

from healthscore.core.model import MICROS
from healthscore.core.signals.acceleration import acceleration
from healthscore.core.signals.active_days import ActiveDays
from healthscore.core.signals.calendar import date_of, first_whole_week, is_monday, is_sunday, monday, sunday, week_of
from healthscore.core.signals.document import habits_json, signal_json
from healthscore.core.signals.excused import Attendance, Excused, attendance, quiet_weeks
from healthscore.core.signals.history import day_use, fold
from healthscore.core.signals.level import level
from healthscore.core.signals.model import Definitions, Profile, UsageChannel, signal
from healthscore.core.signals.recovery import Recovery, recovery
from healthscore.core.signals.slope import Direction, Slope, slope
from tests.unit.core.decisions.stories import MONDAY, week, weeks

KIM = ("kim",)
SETTINGS = Definitions(
    value_events=frozenset({"exported"}),
    integrations={"jira": frozenset({"issue", "comment"})},
    features={"reports": frozenset({"exported", "opened"}), "search": frozenset({"searched"})},
)


def test_calendar__weeks__are_monday_to_sunday():
    assert (is_monday(MONDAY), is_sunday(MONDAY + 6)) == (True, True)
    assert week_of(MONDAY) == week_of(MONDAY + 6) == week_of(MONDAY + 7) - 1
    assert (monday(week_of(MONDAY + 3)), sunday(week_of(MONDAY + 3))) == (MONDAY, MONDAY + 6)
    assert date_of(MONDAY).weekday() == 0
    assert date_of(date(2026, 11, 30).toordinal()) == date(2026, 11, 30)


@pytest.mark.parametrize(("begun", "first"), [(0, 0), (1, 1), (6, 1), (7, 1)])
def test_first_whole_week__partial_week__is_left_out(begun, first):
    assert first_whole_week(MONDAY + begun) == week_of(MONDAY) + first


def test_active_days__any_span__is_counted_with_both_ends():
    days = ActiveDays([10, 12, 12, 20])
    assert [days.count(*span) for span in [(10, 20), (11, 19), (0, 9), (21, 99), (20, 20), (0, 99)]] == [
        3,
        1,
        0,
        0,
        1,
        3,
    ]
    assert [days.last(day) for day in (9, 10, 19, 30)] == [None, 10, 12, 20]
    assert (12 in days, 13 in days) == (True, False)
    assert (days.since(12).days, days.until(12).days) == ((12, 20), (10, 12))


def test_best_quarter__any_day__is_that_of_a_plain_search():
    days = ActiveDays([*range(500, 530), *range(560, 700, 3), *range(900, 905)])
    for day in range(480, 1500):
        plain = max(days.quarter(end) for end in range(day - 364, day + 1))
        assert days.best_quarter(day)[0] == plain


def test_best_quarter__no_day__is_none():
    assert ActiveDays([]).best_quarter(100) == (0, 100)


def test_level__less_than_sixteen_weeks__is_the_number_alone():
    found = level([5] * 15)
    assert (found.now, found.usual, found.percent) == (20, None, None)


def test_level__nothing_was_usual__has_no_percentage():
    assert level([0] * 12 + [1] * 4).percent is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [([4, 4, 3, 3], Direction.FALLING), ([4, 4, 4, 3], Direction.STEADY), ([4, 4, 5, 5], Direction.RISING)],
)
def test_slope__a_quarter_up_or_down__is_no_longer_steady(given, expected):
    assert slope(given, 4).direction is expected


@pytest.mark.parametrize("given", [[2, 1, 9, 9], [9, 9, 9]])
def test_slope__too_little_before__is_unknown(given):
    assert slope(given, 4) == Slope(Direction.UNKNOWN, None)


def test_acceleration__no_fall__is_none():
    assert acceleration(10, 10, 5) is None


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(80, Recovery.RECOVERED), (79, Recovery.PARTIAL), (50, Recovery.PARTIAL), (49, Recovery.DEPRESSED)],
)
def test_recovery__percent_of_usual__has_three_names(percent, expected):
    assert recovery(percent) is expected


def test_day_use__named_events__are_summed_by_signal():
    values = {"exported": 3 * MICROS, "issue": MICROS, "comment": 2 * MICROS, "searched": MICROS}
    use = day_use(MONDAY, {(*KIM, name): value for name, value in values.items()}, SETTINGS)
    assert (use.value, use.integrations, use.features) == (3 * MICROS, {"jira": 3 * MICROS}, {"reports", "search"})
    assert use.people == {*KIM}


def test_day_use__no_feature_is_set__each_event_name_is_one():
    use = day_use(MONDAY, {(*KIM, "a"): 1, (*KIM, "b"): 1}, Definitions())
    assert use.features == {"a", "b"}


@pytest.mark.parametrize(
    ("people", "names", "channel", "expected"),
    [
        (KIM, {"issue"}, UsageChannel.BOTH, False),
        (KIM, {"issue", "searched"}, UsageChannel.BOTH, True),
        (KIM, {"issue"}, UsageChannel.PEOPLE, True),
        ((None,), {"searched"}, UsageChannel.PEOPLE, False),
        ((None,), {"searched"}, UsageChannel.BOTH, False),
        ((None,), {"searched"}, UsageChannel.API, True),
    ],
)
def test_day_use__integration_of_an_account_with_both__is_no_activity_of_people(people, names, channel, expected):
    use = day_use(MONDAY, {(*people, name): MICROS for name in names}, SETTINGS)
    assert use.is_active(channel) is expected


def test_fold__two_people_on_three_days__are_two_users_a_week():
    history = fold([*week(0, 2, people=("kim", "lee")), *week(1, 1)])
    first = week_of(MONDAY)
    assert [history.week("users", first), history.week("users", first + 1)] == [2, 1]
    assert history.people == {"kim": (MONDAY, MONDAY + 1, MONDAY + 7), "lee": (MONDAY, MONDAY + 1)}
    assert history.week("active_days", first) == 2


def test_excused__week_of_one_signal__exists_for_the_others():
    excused = Excused([5], {"value": [6]})
    assert [excused.excuses(*of) for of in [("users", 5), ("users", 6), ("value", 5), ("value", 6)]] == [
        True,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(("last", "day", "within"), [(-1, 6, 1), (0, 6, 0), (-1, 5, 0), (-1, 13, 2), (-20, 20, 2)])
def test_excused__silence__contains_whole_weeks_only(last, day, within):
    excused = Excused([week_of(MONDAY), week_of(MONDAY) + 1])
    assert excused.weeks_within(MONDAY + last + 1, MONDAY + day) == within


def test_attendance__active_in_seven_of_twelve_weeks__is_not_expected():
    assert attendance(set(range(5, 12)), 12) == Attendance()
    assert attendance(set(range(4, 12)), 12) == Attendance(8, 0)
    assert attendance(set(range(13)), 12) == Attendance(12, 1)


@pytest.mark.parametrize(
    ("expected", "here", "quiet"), [(240, 13, True), (240, 14, False), (239, 0, False), (360, 20, True)]
)
def test_attendance__a_third_missing_of_twenty__is_quiet(expected, here, quiet):
    assert Attendance(expected, here).is_quiet is quiet


def test_quiet_weeks__after_an_account_is_no_longer_known__it_is_not_missing():
    account = frozenset(range(20))
    assert quiet_weeks([(account, 22)] * 30) == {20, 21, 22}
    assert quiet_weeks([(account, 19)] * 30) == frozenset()


def test_signal__document__shows_what_a_reader_can_check():
    uses = weeks(*[5] * 20, 2, 1, 2)
    found = signal_json(
        signal("active_days"), fold(uses), Profile(), Excused([week_of(MONDAY) + 3]), MONDAY + 23 * 7, baseline=60
    )
    assert found["applicable"] is True
    assert len(found["weeks"]) == 23
    assert found["weeks"][3] == {"week": date_of(MONDAY + 21).isoformat(), "value": 5.0, "excused": True}
    assert (found["level"], found["usual"]) == (10.0, 20.0)
    assert found["slopes"]["30"] == {"direction": "falling", "percent": -57.1}
    assert (found["recovery"], found["recovered_percent"], found["acceleration"]) == ("partial", 50.0, None)


@pytest.mark.parametrize(
    ("key", "profile", "until", "reason"),
    [
        ("users", Profile(usage_channel=UsageChannel.API), 20, "An API uses the product: it has no users."),
        ("value", Profile(), 20, "No value event is named in the settings."),
        ("integration:jira", Profile(), 20, "No event of this integration is named in the settings."),
        ("active_days", Profile(periodic=True), 20, "Expected every 90 days: it is judged by its silence alone."),
        ("active_days", Profile(), 12, "Younger than 90 days: it is judged by its onboarding and its silence."),
        ("active_days", Profile(churned=True), 20, "The customer has left."),
        ("users", Profile(), 20, "There is too little of it to tell a drop."),
        ("active_days", Profile(), 20, None),
    ],
)
def test_signal__that_does_not_apply__says_why(key, profile, until, reason):
    found = signal_json(signal(key), fold(weeks(*[5] * until)), profile, Excused(), MONDAY + until * 7)
    assert (found["reason"], found["applicable"]) == (reason, reason is None)


def test_habits__account__are_those_up_to_its_last_event():
    assert habits_json(fold(weeks(*[5] * 20)), Profile(), Excused(), MONDAY + 141) == {
        "last_active": date_of(MONDAY + 137).isoformat(),
        "silent_days": 4,
        "weeks_active_of_13": 13,
        "days_active_of_91": 65,
    }
    assert habits_json(fold([]), Profile(), Excused(), MONDAY) is None


def test_signal__irregular__says_that_silence_judges_it():
    found = signal_json(
        signal("active_days"), fold(weeks(*[5] * 20)), Profile(), Excused(), MONDAY + 140, irregular=True
    )
    assert found["reason"].endswith("judged by silence alone.")
