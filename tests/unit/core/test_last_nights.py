"""What an account's last nights say: the score before, the scores of 30 nights, and the largest fall over 7 days."""

from __future__ import annotations

import base64
from datetime import date, timedelta

from healthscore.core.dataset import last_nights
from healthscore.core.model import Component, DailyScore

TONIGHT = date(2026, 11, 29)


def night(age, score=50, **components):
    return DailyScore(
        TONIGHT - timedelta(days=age), score, {Component(name): value for name, value in components.items()}
    )


def test_before__is_the_newest_of_earlier_nights_in_any_order():
    nights = [night(2, 40), night(1, 41), night(0, 42), night(-1, 43)]
    assert last_nights.before(night(0), nights).score == 41
    assert last_nights.before(night(0), nights[2:]) is None


def test_packed__has_a_byte_a_night_and_255_where_there_is_none():
    packed = base64.b64decode(last_nights.packed([night(0, 90), night(29, 10), night(30, 5), night(2, 70)], TONIGHT))
    assert [*packed] == [10, *[255] * 26, 70, 255, 90]


def test_fall__is_that_which_costs_most_by_weight():
    then = night(7, activity=90, engagement=50, milestones=50, recency=100)
    now = night(0, activity=80, engagement=50, milestones=50, recency=50)
    fall = last_nights.largest_fall(now, [night(6, activity=100, recency=100), then, night(8, activity=0)])
    assert (fall.component, fall.points) == (Component.RECENCY, 5)
    assert fall.sentence == "Recency fell from 100 to 50 since 2026-11-22: -5 points."


def test_fall__is_compared_with_the_nearest_night_7_to_10_days_before():
    now = night(0, activity=10)
    assert last_nights.largest_fall(now, [night(10, activity=30), night(11, activity=90)]).then == 30
    assert last_nights.largest_fall(now, [night(9, activity=20), night(10, activity=30)]).then == 20
    assert last_nights.largest_fall(now, [night(6, activity=90), night(11, activity=90)]) is None


def test_fall__of_nothing__is_none():
    assert last_nights.largest_fall(night(0, activity=50), [night(7, activity=50)]) is None
    assert last_nights.largest_fall(night(0, activity=50, crm=10), [night(7, activity=20)]) is None
    assert last_nights.largest_fall(night(0), [night(7)]) is None
