from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from healthscore.core.alerts.change import FALLS
from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.rules import evaluate
from healthscore.core.alerts.settings import AlertSettings, BandFell, Declining, Recovered, ScoreFell, Silent
from healthscore.core.alerts.week import CHANCE_POINTS, NIGHTS_TO_REARM
from healthscore.core.scoring.standard import band
from tests.unit.core.alerts.nights import DEFAULT, FIRST, instant, kinds, replay, snapshot, story

OFF = AlertSettings(
    band_fell=BandFell(enabled=False),
    declining=Declining(enabled=False),
    silent=Silent(enabled=False),
    score_fell=ScoreFell(enabled=False),
    recovered=Recovered(enabled=False),
)
ONLY_BAND = AlertSettings(
    declining=OFF.declining, silent=OFF.silent, score_fell=OFF.score_fell, recovered=OFF.recovered
)
ONLY_DECLINING = AlertSettings(
    band_fell=OFF.band_fell, silent=OFF.silent, score_fell=OFF.score_fell, recovered=OFF.recovered
)
ONLY_SCORE = AlertSettings(band_fell=OFF.band_fell, declining=OFF.declining, silent=OFF.silent, recovered=OFF.recovered)
ONLY_RECOVERED = AlertSettings(
    band_fell=OFF.band_fell, declining=OFF.declining, silent=OFF.silent, score_fell=OFF.score_fell
)
SENSITIVE = AlertSettings(score_fell=ScoreFell(points=2), declining=Declining(points=1))
SCORES = st.lists(st.integers(min_value=0, max_value=100), min_size=2, max_size=45)


def nights_found(scores, settings):
    """Positions of the nights on which a rule finds anything."""
    return [position for position, found in enumerate(kinds(scores, settings)) if found]


def falls_found(scores, settings):
    """Positions of the nights on which any rule finds a fall."""
    return [position for position, found in enumerate(kinds(scores, settings)) if set(found) & set(FALLS)]


def test_evaluate__first_snapshot__finds_nothing():
    assert evaluate([], None, snapshot(10), DEFAULT) == []


def test_evaluate__all_rules_off__finds_nothing():
    assert kinds([100, 0, 100, 0, 0, 0, 100], OFF) == [[]] * 7


def test_evaluate__previous_snapshot_not_among_recent__is_a_night_all_the_same():
    """The recent scores may lag behind the snapshots after a crash: last night's change is not found again."""
    last_night, tonight = snapshot(60, FIRST + timedelta(days=3)), snapshot(60, FIRST + timedelta(days=4))
    recent = [night.daily for night in story([80, 80, 80])]
    assert evaluate(recent, last_night, tonight, ONLY_BAND) == []


def test_evaluate__nights_of_today_and_later_among_recent__are_ignored():
    """A run for a night that already has later ones decides as it would have on its own night."""
    snapshots = story([80, 80, 80, 60, 50, 90])
    recent = [night.daily for night in snapshots]
    assert [change.kind for change in evaluate(recent, snapshots[2], snapshots[3], ONLY_BAND)] == [AlertKind.BAND_FELL]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([70, 69], []),
        ([70, 69, 69, 69], []),
        ([71, 68, 69, 69], [3]),
        ([74, 69], [1]),
        ([70, 70], []),
        ([44, 39], [1]),
        ([41, 38, 39, 39], [3]),
        ([70, *[69] * 9], [7]),
        ([80, 39], [1]),
        ([60, 50, 40], []),
        ([80, 60, 30], [1, 2]),
        ([80, 60, 60, 60, 60, 60], [1]),
        ([60, 80, 60], []),
        ([60, 80, 80, 60], []),
        ([60, 80, 80, 80, 60], [4]),
        ([80, 60, 80, 80, 60, 80, 80, 60], [1]),
        ([80, 60, 80, 60, 30], [1, 4]),
        ([80, 30, 60, 30], [1]),
        ([80, 30, 60, 60, 60, 30], [1, 5]),
        ([80, 30, 60, 60, 60, 80, 60], [1]),
        ([80, 30, 60, 80, 80, 60], [1]),
        ([80, 30, 60, 80, 80, 30], [1, 5]),
        ([80, None, None, 60], [1]),
    ],
)
def test_band_fell__story__found_on(scores, expected):
    assert nights_found(scores, ONLY_BAND) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([80, 80, 60], []),
        ([80, 80, 80, 70], [3]),
        ([80, 80, 80, 71], []),
        ([90, 80, 70, 69], [3]),
        ([90, 80, 70, 71], []),
        ([100, 97, 94, 91, 88, 85, 82, 79, 76, 73, 70], [6]),
        ([80, 80, 80, 60, 75, 75, 60], [3]),
        ([80, 80, 80, 60, 80, 80, 80, 60], [3, 7]),
    ],
)
def test_declining__story__found_on(scores, expected):
    assert nights_found(scores, ONLY_DECLINING) == expected


def test_declining__own_threshold__is_used():
    settings = AlertSettings(band_fell=OFF.band_fell, recovered=OFF.recovered, declining=Declining(points=25))
    assert nights_found([100, 100, 100, 76], settings) == [3]  # by the score_fell rule
    assert kinds([100, 100, 100, 75], settings)[3] == ["score_fell", "declining"]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([80, 60], [1]),
        ([80, 61], []),
        ([90, 85, 80, 75, 70], [4]),
        ([90, 85, 80, 75, 70, 65, 60, 55], [4]),
        ([80, *[79] * 7, 59], [8]),
        ([80, *[79] * 7, 60], []),
        ([80, 60, 80, 60, 80, 60], [1]),
        ([80, 60, 80, 80, 80, 60], [1, 5]),
    ],
)
def test_score_fell__story__found_on(scores, expected):
    assert nights_found(scores, ONLY_SCORE) == expected


def test_score_fell__own_days_and_points__are_used():
    settings = AlertSettings(
        band_fell=OFF.band_fell, declining=OFF.declining, silent=OFF.silent, score_fell=ScoreFell(points=5, days=2)
    )
    assert nights_found([90, 88, 86, 84], settings) == []
    assert nights_found([90, 88, 85, 84], settings) == [2]


def test_score_fell__shown_against__latest_night_with_the_highest_score():
    [change] = replay(story([60, 90, 90, 80, 65]), ONLY_SCORE)[FIRST + timedelta(days=4)]
    assert (change.before, change.since) == (90, FIRST + timedelta(days=2))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([69, 70], [1]),
        ([69, 69], []),
        ([70, 71], []),
        ([80, 60, 80], []),
        ([80, 60, 60, 80], []),
        ([80, 60, 60, 60, 80, 80], [4]),
        ([30, 60, 80], [2]),
        ([60, 60, 60, 80, 60, 80, 60, 80], [3]),
    ],
)
def test_recovered__story__found_on(scores, expected):
    assert nights_found(scores, ONLY_RECOVERED) == expected


def test_recovered__shown_against__lowest_night_of_the_week():
    [change] = replay(story([55, 41, 41, 60, 75]), ONLY_RECOVERED)[FIRST + timedelta(days=4)]
    assert (change.before, change.since) == (41, FIRST + timedelta(days=2))


def silent_on(last_events, days=7):
    """Nights on which a silence is found, given each night's last event as days after the first run.

    None is a night without a run.
    """
    snapshots = [
        snapshot(80, FIRST + timedelta(days=night), instant(FIRST) + timedelta(days=last))
        for night, last in enumerate(last_events)
        if last is not None
    ]
    found = replay(snapshots, AlertSettings(silent=Silent(days=days)))
    return [
        (day - FIRST).days for day, changes in found.items() if AlertKind.SILENT in {change.kind for change in changes}
    ]


@pytest.mark.parametrize(
    ("last_events", "expected"),
    [
        ([-0.5] * 12, [7]),
        ([0] * 12, [7]),
        ([-0.5] * 6 + [None] * 4 + [-0.5] * 2, [10]),
        ([-8] * 5, []),
        ([-6.5, -6.5, 0.9, 0.9], [1]),
        ([-0.5] * 9 + [8.5] * 12, [7, 16]),
        ([-0.5] * 9 + [None] * 10 + [8.5], [7, 19]),
    ],
)
def test_silent__story__found_on(last_events, expected):
    assert silent_on(last_events) == expected


def test_silent__own_days__are_used():
    assert silent_on([-0.5] * 12, days=3) == [3]


def test_silent__account_without_any_event__is_not_silent_but_unused():
    never = snapshot(0).facts | {}
    nights = [
        type(night)(
            day=night.day,
            as_of=night.as_of,
            score=0,
            band=band(0),
            components=night.components,
            facts={name: {"last_seen_at": None} for name in never},
        )
        for night in story([0] * 40)
    ]
    assert not any(replay(nights, DEFAULT).values())


def test_change__declining__is_shown_against_the_mean():
    [change] = replay(story([80, 80, 81, 65]), ONLY_DECLINING)[FIRST + timedelta(days=3)]
    assert change.before == Fraction(241, 3)


@given(score=st.integers(min_value=0, max_value=100), nights=st.integers(min_value=2, max_value=50))
def test_evaluate__flat_score__finds_nothing(score, nights):
    assert not any(kinds([score] * nights))


@given(scores=SCORES, flat=st.integers(min_value=10, max_value=40))
def test_evaluate__score_stands_still_for_long__finds_nothing_more(scores, flat):
    """A change is found once, and not night after night: ten nights of one score bring nothing."""
    assert not any(kinds([*scores, *[scores[-1]] * flat])[len(scores) + 7 :])


@given(scores=SCORES)
def test_band_fell__any_story__never_twice_without_getting_worse_or_a_lasting_recovery(scores):
    """Between two alerts the account either reached a yet lower band, or stayed above it for three nights."""
    found = nights_found(scores, ONLY_BAND)
    ranks = [band(score).rank for score in scores]
    for first, second in pairwise(found):
        back = [rank > ranks[second] for rank in ranks[first + 1 : second]]
        runs = [all(back[start : start + NIGHTS_TO_REARM]) for start in range(len(back) - NIGHTS_TO_REARM + 1)]
        assert ranks[second] < ranks[first] or any(runs)


@given(scores=SCORES)
@example(scores=[40, 36])  # by chance: it counts once it has lasted
@example(scores=[40, 35])
def test_band_fell__any_story__a_new_lowest_band_is_found_at_once_where_it_is_no_chance(scores):
    ranks = [band(score).rank for score in scores]
    lowest = {
        night
        for night in range(1, len(ranks))
        if ranks[night] < min(ranks[:night]) and scores[night] <= min(scores[:night]) - CHANCE_POINTS
    }
    assert lowest <= set(nights_found(scores, ONLY_BAND))


WEEKENDS = pytest.mark.parametrize(
    "weekend", [(6, 0), (5, 6), (6,)], ids=["Sunday-Monday", "Saturday-Sunday", "Sunday"]
)
AT_BORDERS = pytest.mark.parametrize("scores", [(70, 68), (71, 69), (72, 69), (41, 39), (69, 68)])


@WEEKENDS
@AT_BORDERS
@given(noise=st.lists(st.integers(min_value=-1, max_value=1), min_size=49, max_size=49), begins=st.integers(0, 6))
@settings_of_hypothesis(max_examples=8, deadline=None, derandomize=True)  # one in some thousands tells a second fall
def test_evaluate__seven_weeks_that_are_quite_equal__tell_one_fall_at_most(weekend, scores, noise, begins):
    """Whatever the days of the weekend, and wherever a border lies."""
    nights = [scores[(day + begins) % 7 in weekend] + by_chance for day, by_chance in enumerate(noise)]
    assert len(falls_found(nights, DEFAULT)) <= 1


@WEEKENDS
@AT_BORDERS
@pytest.mark.parametrize("begins", range(7))
def test_evaluate__seven_equal_weeks__tell_one_fall_at_most_by_the_smallest_thresholds(weekend, scores, begins):
    nights = [scores[(day + begins) % 7 in weekend] for day in range(49)]
    assert len(falls_found(nights, SENSITIVE)) <= 1


@pytest.mark.parametrize("quiet", [68, 70, 72])
@pytest.mark.parametrize("weeks", [1, 2, 5])
@pytest.mark.parametrize("begins", range(7))
@pytest.mark.parametrize(("falls_to", "nights_late"), [(66, 2), (64, 2), (60, 0), (39, 0), (20, 0)])
def test_evaluate__fall_that_lasts__is_found_after_two_nights_at_most(quiet, weeks, begins, falls_to, nights_late):
    """On whatever day it begins: a fall that is deeper than any usual day is told at once."""
    usual = [quiet if day % 7 in (5, 6) else 72 for day in range(7 * weeks + begins)]
    found = falls_found([*usual, *[falls_to] * 7], DEFAULT)
    assert found
    assert found[0] - len(usual) in range(nights_late + 1)


def test_band_fell__fall_within_chance__is_found_after_a_week():
    assert nights_found([70] * 21 + [69] * 10, ONLY_BAND) == [27]


def test_score_fell__weekends_without_use_by_own_threshold__are_no_fall():
    settings = AlertSettings(band_fell=OFF.band_fell, declining=Declining(points=1), score_fell=ScoreFell(points=2))
    assert not any(kinds([70, 70, 70, 70, 70, 68, 68] * 7, settings))


def test_silent__weekends_without_use__are_no_silence_though_the_setting_is_shorter():
    """Last used on Friday evening: on Monday's night the silence has lasted for two days, as every week."""
    last_events = [max(day - (day % 7 - 4 if day % 7 > 4 else 0), 0) - 0.3 for day in range(28)]
    assert silent_on(last_events, days=2) == []
    assert silent_on([*last_events, *[last_events[-1]] * 4], days=2) == [28]


@pytest.mark.parametrize("settings", [ONLY_DECLINING, ONLY_SCORE, ONLY_RECOVERED])
@given(scores=SCORES)
def test_evaluate__any_story__are_at_least_four_nights_apart(settings, scores):
    found = nights_found(scores, settings)
    assert all(second - first > NIGHTS_TO_REARM for first, second in pairwise(found))
