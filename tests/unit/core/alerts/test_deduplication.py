"""Changes that earlier alerts of the day have reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.alerts.change import Change
from healthscore.core.alerts.deduplication import deduplicate, earlier_alerts, with_unused_id
from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.render import Subject, render
from healthscore.core.model import Band
from tests.unit.core.alerts.nights import DRIFTING, FIRST, lived

THEN = lived(FIRST)
NOW = lived(FIRST + timedelta(days=8), **DRIFTING, seen=timedelta(days=7, hours=1))


def change(kind):
    return Change(kind, 80, FIRST)


def alert(kind, *merged, band=Band.AT_RISK):
    return replace(render(change(kind), Subject("acme", "Acme", None), THEN, NOW), merged=merged, band=band)


def kinds(changes):
    return [one.kind for one in changes]


def test_deduplicate__kind_reported_alone_or_merged__is_left_out():
    earlier = [alert(AlertKind.BAND_FELL, AlertKind.SCORE_FELL)]
    found = [change(kind) for kind in (AlertKind.BAND_FELL, AlertKind.SCORE_FELL, AlertKind.DECLINING)]
    assert kinds(deduplicate(found, earlier, Band.AT_RISK)) == [AlertKind.DECLINING]


def test_deduplicate__yet_lower_band__is_new():
    earlier = [alert(AlertKind.BAND_FELL, AlertKind.SCORE_FELL)]
    found = [change(AlertKind.BAND_FELL), change(AlertKind.SCORE_FELL)]
    assert kinds(deduplicate(found, earlier, Band.CRITICAL)) == [AlertKind.BAND_FELL]
    lowest = [*earlier, alert(AlertKind.BAND_FELL, band=Band.CRITICAL)]
    assert deduplicate(found, lowest, Band.CRITICAL) == []


@given(st.lists(st.sampled_from(list(AlertKind)), unique=True), st.sampled_from(list(Band)))
def test_deduplicate__nothing_earlier__is_everything_in_order(found, band):
    changes = [change(kind) for kind in found]
    assert deduplicate(changes, (), band) == changes


def test_earlier_alerts__of_the_same_score__are_none():
    """A run that stopped has stored them; run again, it decides the same."""
    stored = [alert(AlertKind.BAND_FELL)]
    assert earlier_alerts(stored, NOW) == []
    assert earlier_alerts(stored, replace(NOW, as_of=NOW.as_of + timedelta(hours=1))) == stored


def test_with_unused_id__id_of_an_earlier_alert__gets_the_band():
    first = alert(AlertKind.BAND_FELL)
    assert with_unused_id(first, [], Band.CRITICAL) == first
    assert with_unused_id(first, [alert(AlertKind.SILENT)], Band.CRITICAL) == first
    assert with_unused_id(first, [first], Band.CRITICAL).alert_id == f"{first.alert_id}-critical"
