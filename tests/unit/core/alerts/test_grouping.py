"""One message of one fall."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.alerts.grouping import FALLS, grouped
from healthscore.core.alerts.model import Alert, AlertKind, Evidence
from healthscore.core.alerts.render import Subject, render
from healthscore.core.alerts.rules import Change
from healthscore.core.model import Band
from tests.unit.core.alerts.nights import DRIFTING, FIRST, lived, replay, story

ACME = Subject("acme", "Acme Ltd", None)
LATER = FIRST + timedelta(days=8)
THEN = lived(FIRST)
NOW = lived(LATER, **DRIFTING, seen=timedelta(days=7, hours=1))


def change(kind, before=80):
    return Change(kind, before, FIRST)


def told_earlier(kind, *also, band=Band.AT_RISK):
    alert = render(change(kind), ACME, THEN, NOW)
    return Alert.from_json({**alert.to_json(), "also": [one.value for one in also], "band": band.value})


def kinds(changes):
    return [(one.kind, [other.kind for other in one.merged]) for one in changes]


def test_folded__all_rules_see_a_fall__the_gravest_tells_the_others():
    found = [
        change(kind) for kind in (AlertKind.DECLINING, AlertKind.SILENT, AlertKind.BAND_FELL, AlertKind.SCORE_FELL)
    ]
    assert kinds(grouped(found, (), Band.AT_RISK)) == [
        (AlertKind.BAND_FELL, [AlertKind.SCORE_FELL, AlertKind.SILENT, AlertKind.DECLINING])
    ]


def test_folded__good_news__stands_for_itself():
    found = [change(AlertKind.DECLINING), change(AlertKind.RECOVERED, 50)]
    assert kinds(grouped(found, (), Band.HEALTHY)) == [(AlertKind.DECLINING, []), (AlertKind.RECOVERED, [])]


def test_folded__told_within_another_message_earlier_that_day__is_not_told_again():
    earlier = [told_earlier(AlertKind.BAND_FELL, AlertKind.SCORE_FELL)]
    found = [change(AlertKind.SCORE_FELL), change(AlertKind.DECLINING)]
    assert kinds(grouped(found, earlier, Band.AT_RISK)) == [(AlertKind.DECLINING, [])]
    assert grouped([change(AlertKind.BAND_FELL)], earlier, Band.AT_RISK) == []


def test_folded__yet_lower_band_than_told_earlier_that_day__is_told():
    earlier = [told_earlier(AlertKind.BAND_FELL, AlertKind.SCORE_FELL)]
    found = [change(AlertKind.BAND_FELL), change(AlertKind.SCORE_FELL)]
    assert kinds(grouped(found, earlier, Band.CRITICAL)) == [(AlertKind.BAND_FELL, [])]
    deepest = [*earlier, told_earlier(AlertKind.BAND_FELL, band=Band.CRITICAL)]
    assert grouped(found, deepest, Band.CRITICAL) == []


@given(st.lists(st.sampled_from(list(AlertKind)), unique=True), st.sampled_from(list(Band)))
def test_folded__any_changes__tells_each_kind_once_and_at_most_one_message_of_a_fall(found, band):
    told = grouped([change(kind) for kind in found], (), band)
    mentioned = [kind for one in told for kind in (one.kind, *(other.kind for other in one.merged))]
    assert sorted(mentioned) == sorted(found)
    assert sum(one.kind in FALLS for one in told) <= 1
    assert all(other.kind in FALLS for one in told for other in one.merged)


@given(st.lists(st.integers(0, 100), min_size=2, max_size=40))
def test_folded__night_after_night__what_was_told_along_does_not_come_the_next_night(scores):
    nights = story(scores)
    along = frozenset()
    for current, (_, found) in zip(nights, replay(nights).items(), strict=True):
        told = grouped(found, (), current.band)
        mentioned = {one.kind for message in told for one in (message, *message.merged)}
        assert not along & mentioned - {AlertKind.BAND_FELL}
        along = {other.kind for message in told for other in message.merged}


def test_tell__with_others__says_what_they_would_have_said():
    found = [change(AlertKind.BAND_FELL), change(AlertKind.SCORE_FELL), change(AlertKind.DECLINING, 79)]
    [one] = grouped(found, (), NOW.band)
    alert = render(one, ACME, THEN, NOW)
    assert alert.title == f"Acme Ltd fell to at risk: {NOW.score}"
    assert alert.merged == (AlertKind.SCORE_FELL, AlertKind.DECLINING)
    lost = 80 - NOW.score
    assert f"That is {lost} points lost in 8 days, from 80 on 2026-10-01." in alert.why
    assert f"It lies {lost - 1} points below 79, the mean of the nights of the 7 days before." in alert.why
    assert [item.what for item in alert.evidence[:3]] == [
        "Score",
        "Band",
        "Score, from the mean of the nights of the 7 days before",
    ]
    assert len(set(alert.evidence)) == len(alert.evidence)


@pytest.mark.parametrize("main", [AlertKind.BAND_FELL, AlertKind.SCORE_FELL])
def test_tell__a_silence_along__names_the_last_event_and_asks_after_the_tracking(main):
    [one] = grouped([change(main), change(AlertKind.SILENT)], (), NOW.band)
    alert = render(one, ACME, THEN, NOW)
    assert "Nobody has been seen since 2026-10-02 01:00 UTC, 7 days 1 hour before" in alert.why
    assert Evidence("Last event", day=LATER, before=None, after="2026-10-02 01:00 UTC") in alert.evidence
    assert alert.action.startswith("Make sure that tracking of Acme Ltd still arrives")


def test_alert__with_others__reads_back_as_written():
    [one] = grouped([change(AlertKind.BAND_FELL), change(AlertKind.SILENT)], (), NOW.band)
    alert = render(one, ACME, THEN, NOW)
    assert Alert.from_json(alert.to_json()) == alert
