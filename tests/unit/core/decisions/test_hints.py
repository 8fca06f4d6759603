"""The detectors' hints save work and change nothing: on a night on which one is not asked, it sees nothing."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.decisions.life import life
from healthscore.core.detectors.finding import Detector, Level, Schedule, Sighting
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.detectors.settings import DetectorSettings, Sensitivity
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.excused import Excused
from healthscore.core.signals.history import fold
from healthscore.core.signals.model import Profile, UsageChannel
from tests.unit.core.decisions.histories import FIRST, history

DAYS = 350
UNHINTED = [replace(detector, spans=None) for detector in DETECTORS]


def case(seed):
    """A random account of which everything changes that can, and settings."""
    random = Random(seed)
    weeks = range(week_of(FIRST), week_of(FIRST + DAYS))

    def days(*many):
        return tuple(sorted(FIRST + random.randrange(DAYS) for _ in range(random.choice(many))))

    def profile():
        return Profile(
            usage_channel=random.choice([UsageChannel.PEOPLE] * 5 + [UsageChannel.API, UsageChannel.BOTH]),
            expected_cadence_days=random.choice([None] * 6 + [20, 90]),
            champions=random.choice([(), (), ("u0",), ("u1", "u9"), ("u3",)]),
            created=random.choice([None, None, FIRST + random.randrange(-60, 60)]),
            churned=random.random() < 0.1,
        )

    of_signals = {key: random.sample(weeks, 2) for key in ("value", "users") if random.random() < 0.3}
    tickets = {week: random.randrange(12) for week in weeks} if random.random() < 0.4 else {}
    inputs = Inputs(
        fold(history(seed)),
        profiles=((0, profile()), *((day, profile()) for day in days(0, 0, 1, 5))),
        excused=Excused(random.sample(weeks, random.choice([0, 0, 1, 12])), of_signals),
        accepted=days(0, 0, 1, 2),
        contacts=days(0, 0, 3, 12),
        tickets=tickets,
    )
    chosen = DetectorSettings(
        sensitivity=random.choice(list(Sensitivity)),
        off=frozenset(random.choice([[], [], ["champion"], ["fade"], ["drop"]])),
        on=frozenset(random.choice([[], ["halved"]])),
        overdue_irregular=random.choice([45, 30]),
    )
    return inputs, chosen, FIRST + random.randrange(DAYS + 200)


def same(seed):
    inputs, chosen, night = case(seed)
    return life(inputs, chosen, night) == life(inputs, chosen, night, UNHINTED)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_life__random_account__is_as_if_every_detector_was_asked_every_night(seed):
    assert same(seed)


@pytest.mark.parametrize("seed", [426, 1057, 1297, 1605, *range(40)])
def test_life__fixed_account__is_as_if_every_detector_was_asked_every_night(seed):
    """The first ones infer another champion, end an episode or have good news again within a week."""
    assert same(seed)


@pytest.mark.parametrize("schedule", list(Schedule))
def test_detector__without_a_hint__is_asked_on_each_night_of_its_schedule(schedule):
    asked = []

    def see(night):
        asked.append(night.day)
        return (Sighting("new", None, Level.MONITOR, night.day),) if night.day % 3 == 0 else ()

    new = Detector("new", schedule, see, str, lambda _: (), lambda _: (0, 0), of_young=True)
    inputs = Inputs(fold(history(1)))
    first, last = inputs.history.first, inputs.history.first + 100
    found = life(inputs, DetectorSettings(), last, [*DETECTORS, new])
    nights = range(first, last + 1)
    expected = list(nights) if schedule is Schedule.NIGHTLY else [day for day in nights if day == first or day % 7 == 1]
    assert asked == expected
    assert [finding.opened for finding in found.findings if finding.sighting.detector == "new"] == [
        day for day in expected if day % 3 == 0
    ]
