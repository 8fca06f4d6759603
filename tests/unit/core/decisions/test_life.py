"""The fold of an account's nights against a plain recomputation, and what must not change its answer."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.decisions.life import life
from healthscore.core.detectors.settings import DetectorSettings, Sensitivity
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.excused import Excused
from healthscore.core.signals.history import fold
from healthscore.core.signals.model import Profile, UsageChannel
from tests.unit.core.decisions import naive
from tests.unit.core.decisions.histories import FIRST, history

END = FIRST + 350
SEEDS = st.integers(0, 10**9)


def case(seed):
    """The inputs of a random account, its settings, and the same for the plain recomputation."""
    uses = history(seed)
    random = Random(seed + 1)
    excused = random.sample(range(week_of(FIRST), week_of(END)), random.choice([0, 0, 1, 4]))
    champions = random.choice([(), (), (), ("u0",), ("u1", "u9")])
    cadence = random.choice([None] * 6 + [20, 90])
    channel = random.choice([UsageChannel.PEOPLE] * 5 + [UsageChannel.API])
    sensitivity = random.choice(list(Sensitivity))
    profile = Profile(usage_channel=channel, expected_cadence_days=cadence, champions=champions)
    inputs = Inputs(fold(uses), profiles=((0, profile),), excused=Excused(excused))
    plain = naive.Account(
        uses,
        excused=excused,
        champions=champions,
        cadence=cadence,
        channel=channel.value,
        sensitivity=sensitivity.value,
    )
    return inputs, DetectorSettings(sensitivity), plain


def written(changes):
    return [
        (
            change.day,
            change.before,
            change.after,
            frozenset(sighting.reason for sighting in change.reasons),
            change.ending and change.ending.value,
        )
        for change in changes
    ]


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_life__random_history__changes_as_the_plain_recomputation_says(seed):
    inputs, chosen, plain = case(seed)
    assert written(life(inputs, chosen, END).changes) == naive.changes(plain, END)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(0, 350))
def test_life__any_past_night__is_as_it_was_before_the_later_days_came(seed, days):
    """What a night answers is the same when it is asked again later, with everything that has come since."""
    inputs, chosen, _ = case(seed)
    night = FIRST + days
    known = Inputs(fold(use for use in history(seed) if use.day <= night), inputs.profiles, inputs.excused)
    then, later = life(known, chosen, night), life(inputs, chosen, night)
    assert (then.changes, then.findings, then.news, then.state) == (
        later.changes,
        later.findings,
        later.news,
        later.state,
    )
    everything = life(inputs, chosen, END)
    assert [change for change in everything.changes if change.day <= night] == list(then.changes)


@settings(max_examples=15, deadline=None)
@given(SEEDS, SEEDS)
def test_fold__days_in_another_order__are_the_same_history(seed, order):
    uses = history(seed)
    shuffled = Random(order).sample(uses, len(uses))
    assert fold(shuffled) == fold(uses)
    assert life(Inputs(fold(shuffled)), DetectorSettings(), END) == life(Inputs(fold(uses)), DetectorSettings(), END)


@pytest.mark.parametrize("seed", range(30))
def test_life__fixed_histories__change_as_the_plain_recomputation_says(seed):
    """The same as for random histories, on the same ones each time, so that a broken rule is found each time."""
    inputs, chosen, plain = case(seed)
    assert written(life(inputs, chosen, END).changes) == naive.changes(plain, END)
