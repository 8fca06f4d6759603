"""Lives of accounts from their first week on, with what is known and decided about them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from healthscore.core.decisions.episode import Ending
from healthscore.core.decisions.findings import FindingState
from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.settings import DetectorSettings
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.excused import Excused
from healthscore.core.signals.history import DayUse
from healthscore.core.signals.model import Profile, UsageChannel
from tests.unit.core.decisions.stories import MONDAY, story, tuesday, week, weeks

ALONE = DetectorSettings(off=frozenset({"champion", "onboarding", "multiple"}))
"""Of one signal: the rules that look at people and at several signals are off."""
STEADY = [5] * 26
FALL = [*STEADY, 2, 1, 2]


def states(found):
    return [(change.day, change.after) for change in found.changes]


def test_life__fall_and_return__is_yellow_until_four_weeks_hold_80_percent():
    """The worked example of the rules: one visit, or one good week, ends nothing."""
    found = story(weeks(*FALL, 3, 3, 5, 5, 5), tuesday(34), settings=ALONE)
    assert states(found)[-4:] == [
        (MONDAY + 27, Level.OK),
        (tuesday(26), Level.MONITOR),
        (tuesday(28), Level.YELLOW),
        (tuesday(32), Level.OK),
    ]
    assert found.changes[-1].ending is Ending.RECOVERED
    finding = next(finding for finding in found.findings if finding.sighting.signal == "active_days")
    assert (finding.opened, finding.raised, finding.closed) == (tuesday(26), tuesday(28), tuesday(32))
    assert finding.closed_how is Ending.RECOVERED


def test_life__back_but_not_enough__is_recovering_in_the_same_colour():
    found = story(weeks(*FALL, 3, 3), tuesday(30), settings=ALONE)
    assert found.state is Level.YELLOW
    assert [finding.state for finding in found.findings if finding.sighting.signal == "active_days"] == [
        FindingState.RECOVERING
    ]


def test_life__one_week_later__is_not_judged_before_tuesday():
    assert story(weeks(*FALL), tuesday(28) - 1, settings=ALONE).state is Level.MONITOR
    assert story(weeks(*FALL), tuesday(28), settings=ALONE).state is Level.YELLOW


def test_life__drop_of_two_weeks__passes_without_an_episode():
    found = story(weeks(*STEADY, 2, 1, 5, 5), tuesday(29), settings=ALONE)
    assert states(found)[-2:] == [(tuesday(26), Level.MONITOR), (tuesday(28), Level.OK)]
    assert [(finding.closed_how, finding.rebound) for finding in found.findings] == [(Ending.PASSED, 100)]
    assert (found.since, found.previous) == (tuesday(28), Level.MONITOR)


def test_life__low_for_half_a_year__closes_as_the_new_normal_and_the_episode_a_quarter_later():
    found = story(weeks(*STEADY, *[1] * 45), tuesday(70), settings=DetectorSettings(off=ALONE.off | {"fade"}))
    drop = next(finding for finding in found.findings if finding.sighting.signal == "active_days")
    assert (drop.closed, drop.closed_how) == (tuesday(51), Ending.NEW_NORMAL)
    assert found.changes[-1].day == tuesday(51) - 1 + 91
    assert (found.changes[-1].after, found.changes[-1].ending) == (Level.OK, Ending.NEW_NORMAL)


def test_life__one_visit_after_a_long_silence__does_not_end_it():
    uses = [*weeks(*STEADY), *week(32, 1)]
    found = story(uses, MONDAY + 32 * 7 + 3)
    assert found.state is Level.RED
    assert found.episode is not None


def test_life__steady_account_silent__is_red_after_ten_usual_pauses():
    found = story(weeks(*STEADY), MONDAY + 26 * 7 + 20, settings=ALONE)
    last = MONDAY + 25 * 7 + 4
    assert states(found)[-1] == (last + 14, Level.RED)
    assert found.changes[-1].reasons[0].reason == "regime_change"


def test_life__silence_of_an_excused_week__does_not_count():
    last = MONDAY + 25 * 7 + 4
    excused = Excused([week_of(MONDAY) + 26])
    silence = DetectorSettings(off=ALONE.off | {"drop"})
    assert story(weeks(*STEADY), last + 20, settings=silence, excused=excused).state is Level.OK
    assert story(weeks(*STEADY), last + 21, settings=silence, excused=excused).state is Level.RED


def test_life__quarterly_use_with_its_cadence__is_ok_until_it_is_half_a_quarter_late():
    uses = weeks(*[2, *[0] * 12] * 4)
    last = MONDAY + 39 * 7 + 1
    profiles = ((0, Profile(expected_cadence_days=90)),)
    off = DetectorSettings(off=frozenset({"champion", "onboarding"}))
    assert story(uses, last + 134, profiles=profiles, settings=off).state is Level.OK
    assert story(uses, last + 135, profiles=profiles, settings=off).state is Level.YELLOW
    assert story(uses, last + 60, settings=off).state is Level.YELLOW


def test_life__cadence_that_becomes_known__counts_from_then_on_and_not_before():
    uses = weeks(*STEADY)
    last = MONDAY + 25 * 7 + 4
    profiles = ((0, Profile()), (last + 10, Profile(periodic=True)))
    assert story(uses, last + 30, settings=ALONE, profiles=profiles).state is Level.OK
    later = ((0, Profile()), (last + 16, Profile(periodic=True)))
    assert story(uses, last + 30, settings=ALONE, profiles=later).state is Level.RED  # red two days before it was known


def test_life__api_account__has_no_users_and_no_champion():
    uses = weeks(*STEADY, people=())
    profiles = ((0, Profile(usage_channel=UsageChannel.API)),)
    found = story(uses, MONDAY + 26 * 7, profiles=profiles)
    assert found.state is Level.OK
    silent = story(uses, MONDAY + 27 * 7 + 4, profiles=profiles)
    assert silent.changes[-1].reasons[0].reason == "regime_change"
    assert not any(finding.sighting.detector == "champion" for finding in silent.findings)


def test_life__events_of_nobody_in_a_product_for_people__are_no_activity():
    assert story(weeks(*STEADY, people=()), MONDAY + 26 * 7, settings=ALONE).state is None


def test_life__churned__has_no_state_and_its_findings_are_lost():
    churned = ((0, Profile()), (tuesday(29), Profile(churned=True)))
    found = story(weeks(*FALL, 2, 2), tuesday(30), settings=ALONE, profiles=churned)
    assert states(found)[-1] == (tuesday(29), None)
    assert found.changes[-1].ending is Ending.LOST
    assert {finding.closed_how for finding in found.findings} == {Ending.LOST}


def test_life__churned_by_mistake__is_judged_again_from_its_days():
    profiles = ((0, Profile()), (tuesday(29), Profile(churned=True)), (tuesday(30), Profile()))
    assert story(weeks(*FALL, 2, 2, 2), tuesday(31), settings=ALONE, profiles=profiles).state is Level.YELLOW


def test_life__accepted_as_the_new_normal__closes_and_begins_a_new_baseline():
    uses = weeks(*FALL, *[2] * 20)
    found = story(uses, tuesday(31), settings=ALONE, accepted=(tuesday(30),))
    assert states(found)[-1] == (tuesday(30), Level.OK)
    assert found.changes[-1].ending is Ending.NEW_NORMAL
    assert story(uses, tuesday(46), settings=ALONE, accepted=(tuesday(30),)).state is Level.OK
    assert story(uses, tuesday(29), settings=ALONE, accepted=(tuesday(30),)).state is Level.YELLOW


def test_life__accepted_and_never_seen_again__is_overdue_after_45_days():
    accepted = MONDAY + 30 * 7
    uses = weeks(*STEADY)
    assert story(uses, accepted + 43, settings=ALONE, accepted=(accepted,)).state is Level.OK
    assert story(uses, accepted + 44, settings=ALONE, accepted=(accepted,)).state is Level.YELLOW


def test_life__customer_that_never_came__is_stalled_and_then_unknown():
    profiles = ((MONDAY, Profile(created=MONDAY)),)
    found = story([], MONDAY + 27, profiles=profiles)
    assert [(change.day, change.after) for change in found.changes] == [(MONDAY + 27, Level.YELLOW)]
    assert story([], MONDAY + 26, profiles=profiles).state is None


@pytest.mark.parametrize(
    ("days", "features", "people", "missing"),
    [
        ((0, 60), ("a", "b", "c"), (), ("three features",)),  # in a trial before, and after the span, and never in it
        ((0, 8), ("a", "b", "c"), (), ()),
        ((0, 60), (), ("lee",), ("a second user",)),
        ((0, 8), (), ("lee",), ()),
    ],
)
def test_onboarding__feature_or_person_not_of_the_span__is_no_mark(days, features, people, missing):
    """The customer has had the product since the second week; in the first it was tried."""
    uses = weeks(0, 5, 5, 5, 5, people=("kim", *(() if people else ("max",))), features=() if features else "abc")
    uses = {use.day: use for use in uses}
    for day in (MONDAY + day for day in days):
        use = uses.get(day) or DayUse(day, frozenset({"kim"}))
        uses[day] = replace(use, features=use.features | set(features), people=use.people | set(people))
    profiles = ((0, Profile(created=MONDAY + 7)),)
    found = story(
        uses.values(), MONDAY + 7 + 27, profiles=profiles, settings=DetectorSettings(off=frozenset({"champion"}))
    )
    seen = [finding.sighting.figures.missing for finding in found.findings]
    assert seen == ([missing] if missing else [])


def test_life__no_event_and_no_date__has_no_state():
    assert story([], MONDAY).changes == ()


def test_life__detector_that_is_off__says_nothing():
    off = DetectorSettings(off=ALONE.off | {"drop", "fade", "repeated", "accelerating"})
    found = story(weeks(*FALL), tuesday(28), settings=off)
    assert found.state is Level.OK


def test_life__champion_away_and_two_families_fall__is_red_and_beginning_with_value():
    fallen = [
        *weeks(*STEADY, value=8, people=("kim", "lee")),
        *(use for at in (26, 27, 28) for use in week(at, 2, value=1, people=("lee",))),
    ]
    found = story(fallen, tuesday(28), settings=DetectorSettings(off=frozenset({"onboarding"})))
    assert found.state is Level.RED
    assert [sighting.reason for sighting in found.changes[-1].reasons] == [
        "multiple",
        "drop:active_days",
        "drop:users",
        "drop:value",
        "champion",
    ]


def test_life__champion_met_by_the_crm__is_responsive():
    fallen = [
        *weeks(*STEADY, value=8, people=("kim", "lee")),
        *(use for at in (26, 27, 28) for use in week(at, 2, value=1, people=("lee",))),
    ]
    off = DetectorSettings(off=frozenset({"onboarding"}))
    assert story(fallen, tuesday(28), settings=off, contacts=(tuesday(28) - 10,)).state is Level.YELLOW
    assert story(fallen, tuesday(28), settings=off, contacts=(tuesday(28) - 30,)).state is Level.RED


def test_life__new_champion_who_has_not_come_yet__has_three_weeks():
    named = tuesday(20)
    profiles = ((0, Profile()), (named, Profile(champions=("new",))))
    off = DetectorSettings(off=frozenset({"onboarding"}))
    assert story(weeks(*STEADY), named + 19, profiles=profiles, settings=off).state is Level.OK
    assert story(weeks(*STEADY), named + 20, profiles=profiles, settings=off).state is Level.YELLOW


def test_life__integration_that_stops__is_yellow_after_two_weeks_and_red_after_three():
    uses = [*weeks(*STEADY, review=10), *(use for at in range(26, 31) for use in week(at, 5))]
    only = DetectorSettings(off=ALONE.off | {"drop"})
    found = story(uses, tuesday(30), settings=only)
    assert states(found)[-2:] == [(tuesday(27), Level.YELLOW), (tuesday(28), Level.RED)]
    assert found.changes[-1].reasons[0].reason == "volume_stops:integration:jira"


def test_life__tickets_rise_while_use_falls__are_two_families():
    first = week_of(MONDAY)
    tickets = dict.fromkeys(range(first, first + 27), 1) | {first + 27: 4, first + 28: 5}
    off = DetectorSettings(off=frozenset({"champion", "onboarding"}))
    found = story(weeks(*FALL), tuesday(28), settings=off, tickets=tickets)
    assert [sighting.reason for sighting in found.changes[-1].reasons][:2] == ["multiple", "drop:active_days"]
    assert "tickets:tickets" in [sighting.reason for sighting in found.changes[-1].reasons]


@pytest.mark.parametrize(("ends", "rise"), [((3, 3), True), ((3, 2), False), ((2, 2), False)])
def test_life__tickets__rise_from_two_above_the_usual_one(ends, rise):
    first = week_of(MONDAY)
    tickets = dict.fromkeys(range(first + 12, first + 24), 1) | dict(zip((first + 24, first + 25), ends, strict=True))
    found = story(weeks(*STEADY), tuesday(25), settings=ALONE, tickets=tickets)
    assert (found.state is Level.MONITOR) == rise


def test_life__steady_use_comes_to_half__is_yellow_only_where_halved_is_on():
    uses, until = weeks(*[4] * 20, *[2] * 4), MONDAY + 24 * 7 - 1
    off = ALONE.off | {"drop"}
    assert story(uses, until, settings=DetectorSettings(off=off)).state is Level.OK
    on = story(uses, until, settings=DetectorSettings(off=off, on=frozenset({"halved"})))
    assert [sighting.reason for sighting in on.changes[-1].reasons] == ["halved"]
    both = DetectorSettings(off=off | {"halved"}, on=frozenset({"halved"}))
    assert story(uses, until, settings=both).state is Level.OK


def test_life__sporadic_use_comes_to_half__is_not_seen_by_halved():
    uses, until = weeks(*[5, 0, 0] * 8, 1, 0, 0, 0), MONDAY + 28 * 7 - 1
    on = DetectorSettings(off=ALONE.off | {"drop"}, on=frozenset({"halved"}))
    assert story(uses, until, settings=on).state is Level.OK


def test_life__growth__is_news_once_a_quarter_and_no_state():
    found = story(weeks(*[2] * 16, *[4] * 12), tuesday(27), settings=ALONE)
    assert [(day, sighting.reason) for day, sighting in found.news] == [(tuesday(17), "growth:active_days")]
    assert found.state is Level.OK


def test_life__new_feature_in_three_of_its_weeks__is_adopted_once():
    uses = [*weeks(*STEADY), *(use for at in range(26, 32) for use in week(at, 5, features=("report", "export")))]
    found = story(uses, tuesday(31), settings=ALONE)
    assert [(day, sighting.reason) for day, sighting in found.news] == [(tuesday(28), "adoption:export")]
