from __future__ import annotations

from collections import Counter
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.outage import outage_alert, tracking_outage, usual, weeks_present
from tests.unit.core.alerts.nights import FIRST, instant, snapshot

TONIGHT = FIRST + timedelta(days=28)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("tonight", "before", "outage"),
    [
        (0, [200, 210, 190, 200], True),
        (99, [200, 200, 200, 200], True),
        (100, [200, 200, 200, 200], False),
        (0, [9, 9, 9, 9], True),
        (0, [8, 8, 8, 8], False),
        (4, [16, 16, 16, 16], True),
        (5, [16, 16, 16, 16], False),
        (0, [0, 0, 0, 0], False),
        (0, [], False),
        (10, [0, 100, 100, 0], True),
    ],
    ids=[
        "nobody is active: tracking is broken",
        "more than half are missing",
        "half are active",
        "all of nine are missing",
        "eight may all be away by chance",
        "twelve of sixteen are too many for chance",
        "eleven of sixteen are not",
        "a weekday on which nobody ever comes",
        "no night of this weekday was kept",
        "nights before which nothing was tracked are no measure",
    ],
)
def test_tracking_outage__night__is_distinguished_from_a_quiet_one(tonight, before, outage):
    active = Counter({0: tonight} | dict(enumerate(before, start=1)))
    assert tracking_outage(active) is outage


@given(st.integers(1, 10_000), st.data())
def test_tracking_outage__as_many_as_usual_or_more__never(expected, data):
    here = data.draw(st.integers(expected, 2 * expected))
    assert not tracking_outage({0: here, 1: expected, 2: expected, 3: expected, 4: expected})


@given(st.lists(st.integers(0, 500), min_size=5, max_size=5))
def test_tracking_outage__fewer_active_tonight__stays_an_outage(counts):
    active = dict(enumerate(counts))
    if tracking_outage(active):
        assert all(tracking_outage(active | {0: fewer}) for fewer in range(counts[0]))


def test_usual__nights_without_anybody__are_left_out_of_the_mean():
    assert usual({0: 5, 1: 10, 2: 0, 4: 11}) == Fraction(21, 2)


def test_weeks_present__nights_after_a_day_with_events__are_given():
    def night(weeks, hours):
        day = TONIGHT - weeks * WEEK
        components = dict(snapshot(100, day).components)
        recency = next(name for name in components if name == "recency")
        return snapshot(80, day, components=components | {recency: 100 if hours < 24 else 80}).daily

    recent = [night(4, 30), night(2, 3), night(1, 23), snapshot(100, TONIGHT - timedelta(days=3)).daily]
    assert weeks_present(recent, night(0, 3)) == [0, 1, 2]
    assert weeks_present(recent, night(0, 48)) == [1, 2]
    assert weeks_present([], night(0, 3)) == [0]


def test_outage_alert__counts__says_how_many_are_active_and_how_many_usually_are():
    alert = outage_alert(TONIGHT, instant(TONIGHT), {0: 3, 1: 200, 2: 201})
    assert (alert.kind, alert.account_id, alert.severity) == (AlertKind.FLEET_SILENT, None, "high")
    assert alert.title == "Most accounts fell silent at once: 3 active instead of 200.5"
    assert (alert.evidence[0].before, alert.evidence[0].after) == (200.5, 3)
