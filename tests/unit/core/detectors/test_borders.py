"""Detectors at the borders of their rules: what is low, usual, irregular, silent, and over."""

from __future__ import annotations

import pytest

from healthscore.core.detectors.champion_state import ChampionState, champion_on, inferred_champion
from healthscore.core.detectors.drop import DropState, drops_of
from healthscore.core.detectors.growth import is_growth
from healthscore.core.detectors.halved import is_halved
from healthscore.core.detectors.regime_change import is_regime_change
from healthscore.core.detectors.repeated import again, rebound_percent
from healthscore.core.detectors.settings import Sensitivity
from healthscore.core.detectors.silence import Silence, overdue_after
from healthscore.core.detectors.volume_stops import empty_weeks_of
from healthscore.core.model import MICROS
from healthscore.core.signals.model import signal


def current(weeks, sensitivity=Sensitivity.BALANCED, minimum=12):
    return drops_of(weeks, minimum, sensitivity).current


@pytest.mark.parametrize(
    ("low", "sensitivity", "state"),
    [
        (6, Sensitivity.BALANCED, DropState.USUAL_DIPS),
        (7, Sensitivity.BALANCED, DropState.IRREGULAR),
        (6, Sensitivity.LITERAL, DropState.MONITOR),
        (7, Sensitivity.LITERAL, DropState.IRREGULAR),
        (8, Sensitivity.CALM, DropState.USUAL_DIPS),
        (9, Sensitivity.CALM, DropState.IRREGULAR),
    ],
)
def test_drop__more_low_weeks_before_than_the_limit__is_irregular(low, sensitivity, state):
    found = current([0] * low + [12] * (12 - low) + [0], sensitivity)
    assert (found.before, found.state) == (low, state)


@pytest.mark.parametrize(("back", "before"), [(13, 1), (26, 1), (27, 0)])
def test_drop__calm__counts_low_weeks_of_up_to_26_before(back, before):
    weeks = [5] * 40
    weeks[-back] = 0
    assert current([*weeks, 1], Sensitivity.CALM).before == before
    assert current([*weeks, 1]).before == 0


def test_drop__literal__takes_no_low_week_off():
    weeks = [5] * 6 + [0] + [5] * 5 + [0, 0]
    assert current(weeks, Sensitivity.LITERAL).unusual == 2
    assert current(weeks).unusual == 1


def test_drop__fewer_than_twelve_weeks__has_no_baseline():
    assert current([5] * 11 + [0]) is None


def test_drop__baseline_of_exactly_the_minimum__opens():
    assert current([1] * 12 + [0], minimum=12).baseline == 12
    assert current([1] * 11 + [0, 0], minimum=12) is None


def test_drop__week_that_ends_a_run__may_begin_another():
    """820 is above half of the first baseline, and not above half of the weeks before it, which held more by then."""
    found = drops_of([200] * 6 + [3000] * 6 + [800, 820], 12)
    assert [(drop.baseline, drop.values) for drop in (*found.ended, found.current)] == [
        (19200, (800,)),
        (19800, (820,)),
    ]


def test_drop__after_the_new_normal__is_measured_by_the_last_twelve_weeks():
    drops = drops_of([5] * 12 + [2] * 26, 12)
    assert drops.current.state is DropState.NEW_NORMAL
    assert drops_of([5] * 12 + [2] * 27, 12).current is None
    assert drops_of([5] * 12 + [2] * 26 + [1], 12).current.baseline == 24


@pytest.mark.parametrize(
    ("between", "percent"), [([], 0), ([3], 60), ([3, 4], 70), ([3, 4, 1, 5], 70), ([0, 5, 4, 0], 90), ([5, 0, 5], 50)]
)
def test_repeated__between_two_drops__the_best_two_weeks_in_a_row_count(between, percent):
    assert rebound_percent(between, 60) == percent


@pytest.mark.parametrize(("weeks_since", "found"), [(26, True), (27, False)])
def test_repeated__earlier_drop__is_26_weeks_ago_at_most(weeks_since, found):
    """Weeks of 3 are above half of the usual 5 and never 90 % of it."""
    weeks = [5] * 12 + [1] + [3] * (weeks_since - 2) + [0, 0]
    assert (again(drops_of(weeks, 12)) is not None) == found


def test_repeated__rebound_above_ninety_percent__is_another_story():
    assert again(drops_of([5] * 12 + [1, 5, 5, 0, 0, 0], 12)) is None
    assert again(drops_of([5] * 12 + [1, 5, 4, 0, 0, 0], 12)) is not None


@pytest.mark.parametrize(
    ("weeks", "empty"),
    [
        ([2] * 12 + [0], None),
        ([2] * 12 + [0, 0], 2),
        ([2] * 12 + [0, 0, 0], 3),
        ([2] * 11 + [0, 0], None),
        ([2] * 6 + [0] + [2] * 11 + [0, 0], None),
        ([1, *[2] * 11, 0, 0], None),
        ([0, 0], None),
        ([], None),
    ],
)
def test_volume__something_in_each_of_twelve_weeks_and_then_nothing__has_stopped(weeks, empty):
    assert empty_weeks_of(weeks, 24) == empty


@pytest.mark.parametrize(
    ("weeks_active", "cadence", "irregular", "days"),
    [
        (13, None, 45, 21),
        (10, None, 45, 42),
        (9, None, 45, 45),
        (7, None, 45, 45),
        (7, None, 30, 30),
        (13, 7, 45, 21),
        (1, 31, 45, 47),
    ],
)
def test_overdue__rhythm_or_cadence__sets_the_limit(weeks_active, cadence, irregular, days):
    assert overdue_after(weeks_active, cadence, irregular) == days


DAYS = {"b": list(range(0, 182, 7)), "a": list(range(1, 182, 7)), "c": list(range(150, 172))}


def test_champion__most_active_of_the_half_year__is_inferred_and_the_smaller_id_of_equals():
    assert inferred_champion(DAYS, 181 + 28) == "a"
    assert inferred_champion({"c": DAYS["c"]}, 181 + 28) is None
    assert inferred_champion({**DAYS, "d": list(range(190, 230))}, 181 + 28) == "a"  # later than four weeks ago


@pytest.mark.parametrize(
    ("day", "contacts", "state"),
    [
        (29, (), ChampionState.RESPONSIVE),
        (31, (), ChampionState.SILENT),
        (31, (2,), ChampionState.RESPONSIVE),
        (32, (2,), ChampionState.SILENT),
        (31, (40,), ChampionState.SILENT),
    ],
)
def test_champion__no_event_for_21_days__is_silent_unless_the_crm_knows_of_a_contact(day, contacts, state):
    found = champion_on(day, ("kim", "lee"), {"kim": (3, 10), "lee": (1, 40)}, contacts, since=0, inferred=False)
    assert found.state is state


def test_champion__never_seen__is_silent_three_weeks_after_the_beginning():
    states = [champion_on(day, ("new",), {}, (), since=10, inferred=False).state for day in (29, 30)]
    assert states == [ChampionState.RESPONSIVE, ChampionState.SILENT]


def silence(days, weeks_active, days_active):
    return Silence(0, days, days, weeks_active, days_active, overdue_after(weeks_active, None))


@pytest.mark.parametrize(
    ("days", "weeks_active", "days_active", "fires"),
    [
        (10, 13, 91, True),
        (9, 13, 91, False),
        (35, 12, 26, True),
        (36, 12, 25, False),
        (35, 11, 26, False),
        (14, 13, 65, True),
        (13, 13, 65, False),
    ],
)
def test_regime_change__steady_account__is_silent_for_ten_of_its_pauses(days, weeks_active, days_active, fires):
    assert is_regime_change(silence(days, weeks_active, days_active)) is fires


@pytest.mark.parametrize(
    ("key", "minimum"),
    [("active_days", 12), ("users", 24), ("breadth", 24), ("value", 24 * MICROS), ("integration:x", 24 * MICROS)],
)
def test_signal__minimum__is_one_active_day_a_week_and_two_of_everything_else(key, minimum):
    assert signal(key).minimum == minimum


@pytest.mark.parametrize(
    ("weeks", "fires"),
    [
        ([4] * 12 + [6, 6, 6, 6], True),
        ([4] * 12 + [6, 6, 6, 5], False),
        ([100] * 12 + [150, 150, 150, 149], False),
        ([4] * 11 + [6, 6, 6, 6], False),
        ([0] * 12 + [1] * 4, False),
    ],
)
def test_growth__half_as_much_again_in_four_weeks__fires(weeks, fires):
    assert is_growth(weeks, 12) is fires


@pytest.mark.parametrize(("now", "before", "fires"), [(10, 60, True), (11, 60, False), (2, 12, True), (0, 11, False)])
def test_halved__four_weeks_of_twelve__are_half_in_proportion(now, before, fires):
    assert is_halved(now, before) is fires


@pytest.mark.parametrize(("active", "chosen"), [(24, "a"), (23, None)])
def test_champion__active_on_24_days_of_the_half_year__is_one(active, chosen):
    assert inferred_champion({"a": [*range(100, 100 + active), 300]}, 181 + 28) == chosen
