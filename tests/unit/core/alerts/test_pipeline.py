"""The stages together: evaluate, deduplicate, group, suppress, render."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from healthscore.core.alerts.acknowledgement import Acknowledgement, AcknowledgementStatus
from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.pipeline import Inputs, changes_to_alert, decide
from healthscore.core.alerts.render import Subject
from healthscore.core.scoring.standard import band
from tests.unit.core.alerts.nights import DEFAULT, DRIFTING, FIRST, GONE, lived, snapshot

ACME = Subject("acme", "Acme", None)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THRIVING = [lived(FIRST + number * DAY) for number in range(3)]
TONIGHT = FIRST + 3 * DAY
FELL = lived(TONIGHT, **DRIFTING, seen=timedelta(days=4))


def inputs(current=FELL, **others):
    recent = [night.daily for night in THRIVING]
    return Inputs(ACME, recent, THRIVING[-1], current, **others)


def snooze(night, length=30 * DAY, kind=AlertKind.BAND_FELL):
    at = night.as_of + HOUR
    return Acknowledgement(
        "x", kind, AcknowledgementStatus.SNOOZED, "Kim", None, at, at + length, night.day, night.score
    )


def scored(score, day):
    """A snapshot with the score that has everything that alerts are rendered from."""
    return replace(lived(day), score=score, band=band(score))


def kinds(alerts):
    return [(alert.kind, *alert.merged) for alert in alerts]


def test_decide__first_night__brings_no_alert():
    assert decide(Inputs(ACME, (), None, FELL), DEFAULT) == []


def test_decide__a_plunge__is_one_alert():
    assert kinds(decide(inputs(), DEFAULT)) == [(AlertKind.BAND_FELL, AlertKind.SCORE_FELL, AlertKind.DECLINING)]


def test_decide__same_score_again__is_the_same():
    first = decide(inputs(), DEFAULT)
    assert decide(inputs(today=tuple(first)), DEFAULT) == first


def test_decide__later_score_of_the_day__only_a_yet_lower_band_is_new():
    first = decide(inputs(), DEFAULT)
    later = replace(FELL, as_of=FELL.as_of + HOUR)
    assert decide(inputs(later, today=tuple(first)), DEFAULT) == []
    lower = replace(lived(TONIGHT, **GONE, seen=timedelta(days=4)), as_of=later.as_of)
    [second] = decide(inputs(lower, today=tuple(first)), DEFAULT)
    assert (second.kind, second.alert_id) == (AlertKind.BAND_FELL, f"{first[0].alert_id}-critical")


def test_decide__kept_snapshot_of_the_best_night__explains_the_fall():
    best = lived(FIRST, events=10, days_active=30)
    nights = [replace(best, score=95), *THRIVING[1:]]
    given_inputs = Inputs(ACME, [night.daily for night in nights], nights[-1], FELL)
    [change] = changes_to_alert(given_inputs, DEFAULT)
    assert change.since == best.day
    [with_it] = decide(replace(given_inputs, kept={best.day: best}), DEFAULT)
    [without] = decide(given_inputs, DEFAULT)
    assert f"What moved it since {best.day}" in with_it.why
    assert f"What moved it since {nights[-1].day}" in without.why


def test_changes_to_alert__fall_of_an_acknowledged_account__is_nothing_to_read_for():
    earlier = snapshot(40, FIRST)
    assert changes_to_alert(inputs(), DEFAULT)
    assert not changes_to_alert(inputs(acknowledgement=snooze(earlier)), DEFAULT)


def test_decide__fall_and_ended_snooze_reported_earlier_on_the_day__are_duplicates():
    """The end of a snooze is no alert of its own where the fall is one, even if that was alerted earlier on the day."""
    ended = snooze(snapshot(60, FIRST), length=DAY * 2)
    with_fall = inputs(acknowledgement=ended)
    [first] = decide(with_fall, DEFAULT)
    assert first.kind is AlertKind.BAND_FELL
    assert "Kim snoozed" in first.why
    later = replace(FELL, as_of=FELL.as_of + HOUR)
    assert decide(replace(with_fall, current=later, today=(first,)), DEFAULT) == []


scores = st.lists(st.integers(0, 100), min_size=2, max_size=12)


@given(scores, st.lists(st.integers(0, 100), max_size=5), st.none() | st.integers(0, 10), st.integers(1, 12))
@example([20, 0, 70], [0, 40, 21], 2, 2).via("a critical alert of another kind came before the two of a lower band")
def test_decide__any_scores_of_a_day__alert_no_kind_twice_but_a_lower_band(before, of_day, acknowledged_on, days):
    nights = [scored(score, FIRST + number * DAY) for number, score in enumerate(before)]
    acknowledgement = None
    if acknowledged_on is not None:
        acknowledgement = snooze(nights[min(acknowledged_on, len(nights) - 1)], length=days * DAY)
    recent, day = [night.daily for night in nights], FIRST + len(before) * DAY
    stored = []
    for hour, score in enumerate(of_day):
        current = scored(score, day)
        current = replace(current, as_of=current.as_of + hour * HOUR)
        now = Inputs(ACME, recent, nights[-1], current, acknowledgement)
        found = decide(replace(now, today=tuple(stored)), DEFAULT)
        assert changes_to_alert(now, DEFAULT) or not found, "alerts that nothing was read for"
        lowest = {}
        for alert in stored:
            for kind in (alert.kind, *alert.merged):
                lowest[kind] = min(lowest.get(kind, alert.band.rank), alert.band.rank)
        for alert in found:
            again = {alert.kind, *alert.merged} & set(lowest)
            assert not again or (again == {AlertKind.BAND_FELL} and current.band.rank < lowest[AlertKind.BAND_FELL])
        stored += found
    assert len({alert.alert_id for alert in stored}) == len(stored)


def test_decide__acknowledged_and_worse__is_alerted_once_a_day_by_whatever_rule():
    """A CRM's further changes of the day repeat nothing, unless the band is yet lower."""
    known = snooze(THRIVING[-1])
    worse = scored(60, TONIGHT)
    first = decide(inputs(worse, acknowledgement=known), DEFAULT)
    assert len(first) == 1
    reported = (replace(first[0], merged=()),)
    later = replace(scored(55, TONIGHT), as_of=worse.as_of + HOUR)
    assert decide(inputs(later, acknowledgement=known, today=reported), DEFAULT) == []
    critical = replace(scored(30, TONIGHT), as_of=worse.as_of + HOUR)
    assert kinds(decide(inputs(critical, acknowledgement=known, today=reported), DEFAULT))[0][0] is AlertKind.BAND_FELL
