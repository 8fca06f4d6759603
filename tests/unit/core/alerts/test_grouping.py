"""One alert for all changes of one fall."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.alerts.change import FALLS, Change
from healthscore.core.alerts.grouping import group
from healthscore.core.alerts.model import Alert, AlertKind, Evidence
from healthscore.core.alerts.render import Subject, render
from tests.unit.core.alerts.nights import DRIFTING, FIRST, lived, replay, story

ACME = Subject("acme", "Acme Ltd", None)
LATER = FIRST + timedelta(days=8)
THEN = lived(FIRST)
NOW = lived(LATER, **DRIFTING, seen=timedelta(days=7, hours=1))


def change(kind, before=80):
    return Change(kind, before, FIRST)


def kinds(changes):
    return [(one.kind, [other.kind for other in one.merged]) for one in changes]


def test_group__all_rules_find_a_fall__the_others_are_merged_into_the_gravest():
    found = [
        change(kind) for kind in (AlertKind.DECLINING, AlertKind.SILENT, AlertKind.BAND_FELL, AlertKind.SCORE_FELL)
    ]
    assert kinds(group(found)) == [(AlertKind.BAND_FELL, [AlertKind.SCORE_FELL, AlertKind.SILENT, AlertKind.DECLINING])]


def test_group__good_news__stays_alone():
    found = [change(AlertKind.RECOVERED, 50), change(AlertKind.DECLINING)]
    assert kinds(group(found)) == [(AlertKind.DECLINING, []), (AlertKind.RECOVERED, [])]


@given(st.lists(st.sampled_from(list(AlertKind)), unique=True))
def test_group__any_changes__each_kind_once_and_at_most_one_fall(found):
    groups = group([change(kind) for kind in found])
    mentioned = [kind for one in groups for kind in (one.kind, *(other.kind for other in one.merged))]
    assert sorted(mentioned) == sorted(found)
    assert sum(one.kind in FALLS for one in groups) <= 1
    assert all(other.kind in FALLS for one in groups for other in one.merged)


@given(st.lists(st.integers(0, 100), min_size=2, max_size=40))
def test_group__night_after_night__what_was_merged_does_not_come_the_next_night(scores):
    merged = frozenset()
    for found in replay(story(scores)).values():
        groups = group(found)
        mentioned = {one.kind for change in groups for one in (change, *change.merged)}
        assert not merged & mentioned - {AlertKind.BAND_FELL}
        merged = {other.kind for change in groups for other in change.merged}


def test_render__with_merged_changes__has_their_sentences_and_figures():
    found = [change(AlertKind.BAND_FELL), change(AlertKind.SCORE_FELL), change(AlertKind.DECLINING, 79)]
    [one] = group(found)
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
def test_render__merged_silence__names_the_last_event_and_asks_to_check_the_tracking(main):
    [one] = group([change(main), change(AlertKind.SILENT)])
    alert = render(one, ACME, THEN, NOW)
    assert "Nobody has been seen since 2026-10-02 01:00 UTC, 7 days 1 hour before" in alert.why
    assert Evidence("Last event", day=LATER, before=None, after="2026-10-02 01:00 UTC") in alert.evidence
    assert alert.action.startswith("Make sure that tracking of Acme Ltd still arrives")


def test_alert__with_merged_kinds__reads_back_as_written():
    [one] = group([change(AlertKind.BAND_FELL), change(AlertKind.SILENT)])
    alert = render(one, ACME, THEN, NOW)
    assert Alert.from_json(alert.to_json()) == alert
