from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.model import Component
from healthscore.core.scoring.trend import Direction, trend, trends
from tests.unit.core.cases import daily

SCORES = st.integers(0, 100)


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        (70, [60, 60, 60], Direction.IMPROVING),
        (69, [60, 60, 60], Direction.STEADY),
        (50, [60, 60, 60], Direction.DECLINING),
        (51, [60, 60, 60], Direction.STEADY),
        (70, [60, 60, 61], Direction.STEADY),
        (70, [60, 60, 59], Direction.IMPROVING),
        (60, [70, 70, 69, 70, 70, 70, 70], Direction.STEADY),
        (60, [60, 60, 60], Direction.STEADY),
    ],
    ids=["+10", "+9", "-10", "-9", "+9 2/3", "+10 1/3", "-9 6/7", "0"],
)
def test_trend__distance_from_the_mean__decides_at_10_points(now, earlier, expected):
    assert trend(now, earlier).direction is expected


@pytest.mark.parametrize("earlier", [[], [10], [10, 10]])
def test_trend__fewer_than_3_snapshots__is_unknown_and_says_how_many(earlier):
    assert trend(90, earlier).to_json() == {
        "direction": "unknown",
        "delta": None,
        "baseline": None,
        "snapshots": len(earlier),
    }


def test_trend__figures__are_exact_and_shown_to_one_decimal():
    result = trend(68, [80, 80, 80, 80, 80, 81, 82])
    assert (result.baseline, result.delta) == (Fraction(563, 7), Fraction(-87, 7))
    assert result.to_json() == {"direction": "declining", "delta": -12.4, "baseline": 80.4, "snapshots": 7}


@given(SCORES, st.lists(SCORES, min_size=3, max_size=7))
def test_trend__shown_delta__never_contradicts_the_direction(now, earlier):
    shown = trend(now, earlier).to_json()
    expected = "improving" if shown["delta"] >= 10 else "declining" if shown["delta"] <= -10 else "steady"
    assert shown["direction"] == expected


def test_trends__snapshots_of_other_days__do_not_count():
    outside = [daily(8, 0), daily(0, 0), daily(-1, 0)]
    week = [daily(days, 60) for days in range(7, 0, -1)]
    result = trends(daily(0, 60), [*outside[:1], *week, *outside[1:]])
    assert (result.overall.snapshots, result.overall.baseline) == (7, 60)


def test_trends__crm_connected_lately__is_unknown_for_it_and_known_for_the_rest():
    recent = [daily(3, 50, activity=40), daily(2, 50, activity=40), daily(1, 50, activity=40, crm=90)]
    result = trends(daily(0, 60, activity=80, crm=100), recent)
    assert result.components[Component.ACTIVITY].direction is Direction.IMPROVING
    crm = result.components[Component.CRM]
    assert (crm.direction, crm.snapshots) == (Direction.UNKNOWN, 1)


def test_trends__component_that_is_gone__has_no_trend():
    result = trends(daily(0, 60, activity=80), [daily(days, 50, activity=40, crm=90) for days in (3, 2, 1)])
    assert list(result.components) == [Component.ACTIVITY]
