"""What an acknowledgement suppresses, and which alerts follow it up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.alerts.acknowledgement import MAX_SNOOZE, Acknowledgement, AcknowledgementStatus
from healthscore.core.alerts.change import FALLS
from healthscore.core.alerts.grouping import group
from healthscore.core.alerts.model import AlertKind, Severity
from healthscore.core.alerts.pipeline import Inputs, changes_to_alert, decide
from healthscore.core.alerts.render import Subject
from healthscore.core.alerts.rules import NIGHTS_KEPT, NIGHTS_TO_REARM, evaluate
from healthscore.core.alerts.settings import AlertSettings
from healthscore.core.alerts.suppression import WORSENED_POINTS
from healthscore.core.alerts.week import CHANCE_POINTS
from healthscore.core.model import Band, Component
from healthscore.core.scoring.standard import FULL_SCORE, band
from tests.unit.core.alerts.nights import DEFAULT, DRIFTING, FIRST, instant, lived, snapshot, story

ACKNOWLEDGED, SNOOZED = AcknowledgementStatus.ACKNOWLEDGED, AcknowledgementStatus.SNOOZED
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ACME = Subject("acme", "Acme", None)
OFF = AlertSettings.from_json(
    {name: {"enabled": False} for name in ("band_fell", "declining", "silent", "score_fell", "recovered")}
)


def by_kim(night, *, status=SNOOZED, days=MAX_SNOOZE.days, kind=AlertKind.BAND_FELL):
    """An acknowledgement an hour after a night, for so many days."""
    at = night.as_of + HOUR
    return Acknowledgement(
        "x", kind, status, "Kim", "renewal talk", at, at + timedelta(days=days), night.day, night.score
    )


def alerted(scores, acknowledged_on, *, seen=(), **acknowledgement):
    """The changes that each night of a story alerts, by its number, where Kim acknowledges an alert of one of them.

    Args:
        scores: one a night; None where there was no run.
        acknowledged_on: after which night Kim acknowledges.
        seen: the nights before which the account was active.
        **acknowledgement: as for `by_kim`.
    """
    nights = [
        replace(night, components={**night.components, Component.RECENCY: FULL_SCORE}) if number in seen else night
        for number, night in enumerate(story(scores))
    ]
    acknowledged = by_kim(nights[acknowledged_on], **acknowledgement)
    found = {}
    for number, current in enumerate(nights[1:], start=1):
        recent = [night.daily for night in nights[:number]][-NIGHTS_KEPT:]
        left = changes_to_alert(Inputs(ACME, recent, nights[number - 1], current, acknowledged), DEFAULT)
        if left:
            found[number] = left
    return found


def kinds(found):
    """The kinds of each night, merged ones included."""
    return {
        number: [one.kind.value for change in left for one in (change, *change.merged)]
        for number, left in found.items()
    }


PLUNGE = [80, 80, 80, 60]
"""On its last night, number 3, the rules find `band_fell`, `score_fell` and `declining`."""


@pytest.mark.parametrize("status", [ACKNOWLEDGED, SNOOZED])
def test_suppress__the_same_decline__is_suppressed(status):
    slide = [*PLUNGE, 59, 57, 56, 55, 54, 53, 52, 51]
    assert kinds(alerted(slide, 3, status=status)) == {3: ["band_fell", "score_fell", "declining"]}


def test_suppress__night_before_the_acknowledgement__changes_nothing():
    """A night that runs again decides the same, although an alert of it was acknowledged meanwhile."""
    nights = story(PLUNGE)
    recent, previous, current = [night.daily for night in nights[:3]], nights[2], nights[3]
    inputs = Inputs(ACME, recent, previous, current)
    assert changes_to_alert(replace(inputs, acknowledgement=by_kim(current)), DEFAULT) == changes_to_alert(
        inputs, DEFAULT
    )


@pytest.mark.parametrize("status", [ACKNOWLEDGED, SNOOZED])
def test_suppress__lower_band__is_alerted_once_with_the_acknowledgement(status):
    found = alerted([*PLUNGE, 55, 51, 51, 39, 38, 38], 3, status=status)
    assert kinds(found)[7][0] == "band_fell"
    assert set(found) == {3, 7}
    assert all(change.acknowledgement.by == "Kim" for change in found[7])


def test_suppress__creeps_down_ten_points__is_alerted_though_no_rule_finds_it():
    creeping = [80, 80, 80, 68, *[68] * 8, 67, 66, 65, 64, 63, 62, 61, 60, 59, 58, 57, 56]
    found = alerted(creeping, 3)
    assert kinds(found) == {3: ["band_fell", "declining"], 21: ["score_fell"]}
    [fell] = found[21]
    assert (fell.before, fell.since) == (68, FIRST + 3 * DAY)


def test_suppress__ten_points_again__is_alerted_again():
    scores = [100, 100, 100, 69, 69, 59, 59, 59, 49, 49, 49]
    assert set(alerted(scores, 3)) == {3, 5, 8}


def test_suppress__good_news__is_alerted():
    assert kinds(alerted([*PLUNGE, 60, 60, 75], 3))[6] == ["recovered"]


def test_suppress__well_again_for_three_nights__the_next_fall_is_alerted():
    assert 8 in alerted([*PLUNGE, 60, 80, 80, 80, 60], 3)


def test_suppress__well_again_for_two_nights__the_same_trouble_is_still_suppressed():
    assert kinds(alerted([*PLUNGE, 60, 60, 60, 80, 80, 60, 60], 3)) == {
        3: ["band_fell", "score_fell", "declining"],
        7: ["recovered"],
    }


def test_suppress__snooze_ends_and_the_trouble_holds__is_alerted_once():
    found = alerted([*PLUNGE, *[60] * 12], 3, days=5)
    assert kinds(found) == {3: ["band_fell", "score_fell", "declining"], 9: ["snooze_over"]}
    [over] = found[9]
    assert (over.before, over.since, over.acknowledgement.by) == (60, FIRST + 3 * DAY, "Kim")


def test_suppress__snooze_ends_while_nights_are_not_run__the_next_one_alerts_it():
    found = alerted([*PLUNGE, 60, None, None, None, 60, 60], 3, days=2)
    assert list(kinds(found).values())[1:] == [["snooze_over"]]


def test_suppress__snooze_ends_and_the_account_is_well__is_not_alerted():
    assert kinds(alerted([*PLUNGE, 60, 60, 60, 60, 60, 80, 80], 3, days=5))[9] == ["recovered"]


def test_suppress__snooze_ends_on_a_night_with_a_fall__only_the_fall_is_alerted():
    found = alerted([*PLUNGE, 60, 60, 60, 60, 60, 39, 39], 3, days=5)
    assert kinds(found)[9][0] == "band_fell"
    assert "snooze_over" not in kinds(found)[9]
    assert found[9][0].acknowledgement is not None
    assert 10 not in found


def test_suppress__acknowledgement_ends__is_not_alerted():
    assert set(alerted([*PLUNGE, *[60] * 40], 3, status=ACKNOWLEDGED)) == {3}


def test_suppress__account_was_healthy_all_the_time__is_well_once_it_has_risen_by_ten():
    dip = [100, 100, 100, 79, 79]
    assert kinds(alerted([*dip, 88, 88, 88, 88, 88], 3, days=5)).get(9) == ["snooze_over"]
    assert kinds(alerted([*dip, 89, 89, 89, 89, 89], 3, days=5)).get(9) is None


def test_suppress__silence__is_over_as_soon_as_somebody_is_seen():
    quiet = [*PLUNGE, 60, 60, 60, 60, 60]
    assert kinds(alerted(quiet, 3, days=3, kind=AlertKind.SILENT))[7] == ["snooze_over"]
    assert 7 not in alerted(quiet, 3, days=3, kind=AlertKind.SILENT, seen=[5])


scores = st.lists(st.integers(0, 100), min_size=5, max_size=45)


@given(scores, st.data(), st.sampled_from(list(AcknowledgementStatus)), st.integers(1, MAX_SNOOZE.days))
def test_suppress__any_nights__a_fall_is_alerted_only_if_it_got_worse_or_ended(scores, data, status, days):
    acknowledged_on = data.draw(st.integers(1, len(scores) - 2))
    found = alerted(scores, acknowledged_on, status=status, days=days)
    nights = story(scores)
    for number in range(acknowledged_on + 1, len(scores)):
        ended = nights[number].as_of >= nights[acknowledged_on].as_of + HOUR + timedelta(days=days)
        if ended or well_again(scores[acknowledged_on : number + 1]):
            break
        falls = [change for change in found.get(number, []) if change.kind in FALLS]
        lowest = min(scores[acknowledged_on:number])
        if falls:
            assert scores[number] < lowest
            assert all(change.acknowledgement is not None for change in falls)
        lower = band(scores[number]).rank < band(lowest).rank and scores[number] <= lowest - CHANCE_POINTS
        if lower or scores[number] <= lowest - WORSENED_POINTS:
            assert falls, "a snooze hid that it got worse"


@given(scores, st.data(), st.integers(1, MAX_SNOOZE.days))
def test_suppress__any_nights__the_end_of_a_snooze_is_alerted_at_most_once(scores, data, days):
    acknowledged_on = data.draw(st.integers(1, len(scores) - 2))
    found = alerted(scores, acknowledged_on, days=days)
    assert sum(change.kind is AlertKind.SNOOZE_OVER for left in found.values() for change in left) <= 1


@given(scores, st.data())
def test_suppress__any_nights__changes_after_the_end_are_alerted_as_without_an_acknowledgement(scores, data):
    acknowledged_on = data.draw(st.integers(1, len(scores) - 4))
    days = data.draw(st.integers(1, len(scores) - acknowledged_on - 3))
    nights = story(scores)
    found = alerted(scores, acknowledged_on, days=days)
    for number in range(acknowledged_on + days + 2, len(scores)):
        recent = [night.daily for night in nights[:number]][-NIGHTS_KEPT:]
        assert found.get(number, []) == group(evaluate(recent, nights[number - 1], nights[number], DEFAULT))


def well_again(scores):
    """Whether an account that had the first score was well for three nights in a row after it."""
    known, *after = scores
    well = [
        band(score) is Band.HEALTHY and (band(known) is not Band.HEALTHY or score >= known + WORSENED_POINTS)
        for score in after
    ]
    return any(all(well[end - NIGHTS_TO_REARM : end]) for end in range(NIGHTS_TO_REARM, len(well) + 1))


def test_decide__worse_than_when_it_was_snoozed__says_who_snoozed_it_and_why():
    then, now = lived(FIRST, events=40), lived(FIRST + 4 * DAY, **DRIFTING, seen=timedelta(days=4))
    [alert] = decide(Inputs(ACME, [then.daily], then, now, by_kim(replace(then, score=70))), OFF)
    assert alert.why.startswith(
        "Kim snoozed this account's trouble on 2026-10-01 03:00 UTC until 2026-10-31 03:00 UTC "
        '("renewal talk"); it has got worse since, from 70. The score went from 70 on 2026-10-01'
    )


@pytest.mark.parametrize(
    ("score", "title", "severity"),
    [
        (30, "Acme is still critical: 30", Severity.HIGH),
        (60, "Acme is still at risk: 60", Severity.MEDIUM),
        (75, "Acme is not back yet: 75", Severity.MEDIUM),
    ],
)
def test_decide__snooze_over__says_how_the_account_is_and_who_snoozed_it(score, title, severity):
    then, now = snapshot(score), snapshot(score, FIRST + 2 * DAY)
    [alert] = decide(Inputs(ACME, [then.daily], then, now, by_kim(then, days=1)), OFF)
    assert (alert.kind, alert.title, alert.severity) == (AlertKind.SNOOZE_OVER, title, severity)
    assert alert.why.startswith(
        "Kim snoozed this account's trouble on 2026-10-01 03:00 UTC until 2026-10-02 03:00 UTC "
        '("renewal talk"); that time is over. The score went from'
    )


def test_acknowledgement__stored_form__reads_back_as_written():
    acknowledgement = by_kim(snapshot(60))
    assert Acknowledgement.from_json(acknowledgement.to_json()) == acknowledgement
    assert acknowledgement.at > instant(FIRST)
