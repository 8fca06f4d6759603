from __future__ import annotations

import pytest

from healthscore.core.signals.active_days import ActiveDays
from healthscore.core.signals.questions import may_be_an_api, may_be_its_rhythm


@pytest.mark.parametrize(
    ("days", "day", "asked"),
    [
        ([0, 90, 180, 270], 300, True),
        ([0, 46, 92, 138], 300, True),
        ([0, 45, 90, 135], 300, False),
        ([0, 90, 180], 300, False),
        ([0, 90, 180, 270], 400, False),
        ([0, 90, 180, 270], 200, False),
    ],
)
def test_rhythm__three_pauses_of_45_days_within_400__is_asked_for(days, day, asked):
    assert may_be_its_rhythm(ActiveDays(days), day) is asked


@pytest.mark.parametrize(("events", "without", "asked"), [(100, 90, True), (100, 89, False), (0, 0, False)])
def test_api__nine_tenths_of_the_events_without_people__is_asked_for(events, without, asked):
    assert may_be_an_api(events, without) is asked
