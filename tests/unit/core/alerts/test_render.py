"""The words and figures of alerts."""

from __future__ import annotations

import re
from datetime import date, timedelta
from fractions import Fraction

import pytest

from healthscore.core.alerts.change import Change
from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.alerts.render import Subject, render
from healthscore.core.alerts.rules import evaluate
from healthscore.core.alerts.settings import AlertSettings
from healthscore.core.explain.drivers import drivers
from healthscore.core.model import Band, CrmFacts, Milestone
from healthscore.core.text import sentence
from tests.unit.core.alerts.nights import DRIFTING, FIRST, GONE, instant, lived

LATER = FIRST + timedelta(days=4)
ACME = Subject("acme", "Acme Ltd", "ana@example.com")
DRIFTED = {**DRIFTING, "seen": timedelta(days=4)}
UNSEEN = "Nobody has been seen since 2026-10-01 02:00 UTC, 4 days before this night's run."


def crm(**facts):
    return CrmFacts(received_at=instant(FIRST), unknown=frozenset({"churned", "active_deal"}) - facts.keys(), **facts)


def rendered(kind, then, now, before=None):
    return render(Change(kind, then.score if before is None else before, then.day), ACME, then, now)


def test_render__band_fell__says_from_where_to_where_since_when_and_why():
    then, now = lived(FIRST), lived(LATER, **DRIFTED)
    alert = rendered(AlertKind.BAND_FELL, then, now)
    assert alert.title == "Acme Ltd fell to at risk: 48"
    assert alert.why == (
        f"The score went from 80 on 2026-10-01 to 48 on 2026-10-05, from healthy to at risk. {UNSEEN}\n"
        "What moved it since 2026-10-01, in points: "
        "activity -16. Older events left the window (60 → 28 events in 30 days).\n"
        "Engagement -11.7. Longer and deeper sessions left the window (5 min → 3 min 20 s, 10 → 7 events on average); "
        "fewer active days: 30 → 10 of 30.\n"
        "Recency -4. Use stopped."
    )


def test_render__fall_while_people_come__gives_each_cause_as_it_is():
    then, now = lived(FIRST), lived(LATER, **{**DRIFTED, "seen": timedelta(hours=30)})
    alert = rendered(AlertKind.BAND_FELL, then, now)
    lines = alert.why.split("\n")[1:]
    assert lines[0].startswith(
        "What moved it since 2026-10-01, in points: activity -16. Less use: more events left the"
    )
    assert [line.partition(". ")[2][:9] for line in lines] == ["Less use:", "Sessions ", "No event "]
    for driver, line in zip(drivers(then, now), lines, strict=True):
        assert line.endswith(sentence(driver.cause))


@pytest.mark.parametrize("kind", [AlertKind.BAND_FELL, AlertKind.SCORE_FELL, AlertKind.DECLINING, AlertKind.SILENT])
def test_render__fall_of_somebody_silent__says_once_since_when(kind):
    """The evidence, whose parts stand by themselves, says it in each."""
    alert = rendered(kind, lived(FIRST), lived(LATER, **{**DRIFTING, "seen": timedelta(days=9)}))
    assert alert.why.count("2026-09-26") == 1
    assert "no event since" not in alert.why
    assert sum("no event since 2026-09-26" in one.what for one in alert.evidence) == 3


def test_render__any_alert__has_no_brackets_within_brackets():
    for seen in (timedelta(hours=30), timedelta(days=4), timedelta(days=9)):
        for now in (lived(LATER, **{**DRIFTED, "seen": seen}), lived(LATER, **GONE, seen=seen)):
            for kind in (AlertKind.BAND_FELL, AlertKind.DECLINING, AlertKind.SILENT):
                why = rendered(kind, lived(FIRST), now).why
                assert not re.search(r"\([^)]*\(", why), why


def test_render__band_fell__carries_its_figures_as_evidence():
    alert = rendered(AlertKind.BAND_FELL, lived(FIRST), lived(LATER, **DRIFTED))
    assert alert.evidence[:2] == (
        Evidence("Score", day=LATER, before=80, after=48, since=FIRST),
        Evidence("Band", day=LATER, before="healthy", after="at risk", since=FIRST),
    )
    assert [(one.what.partition(":")[0], one.before, one.after) for one in alert.evidence[2:]] == [
        ("Activity score", 100, 60),
        ("Engagement score", 100, 61),
        ("Recency score", 100, 60),
    ]


def test_render__any_alert__names_account_owner_band_and_day():
    alert = rendered(AlertKind.BAND_FELL, lived(FIRST), lived(LATER, **DRIFTED))
    assert (alert.account_id, alert.owner, alert.band) == ("acme", "ana@example.com", Band.AT_RISK)
    assert (alert.day, alert.created_at) == (LATER, instant(LATER))
    assert alert.alert_id == alert_id(AlertKind.BAND_FELL, LATER, "acme")


@pytest.mark.parametrize("kind", [AlertKind.BAND_FELL, AlertKind.SCORE_FELL, AlertKind.DECLINING, AlertKind.SILENT])
def test_render__fall__is_high_when_the_account_is_critical_and_medium_otherwise(kind):
    assert rendered(kind, lived(FIRST), lived(LATER, **GONE, seen=timedelta(days=31))).severity is Severity.HIGH
    assert rendered(kind, lived(FIRST), lived(LATER, **DRIFTED)).severity is Severity.MEDIUM
    assert rendered(kind, lived(FIRST), lived(LATER, seen=timedelta(days=8))).severity is Severity.MEDIUM


def test_render__score_fell__says_how_much_in_how_long():
    alert = rendered(AlertKind.SCORE_FELL, lived(FIRST), lived(LATER, **DRIFTED))
    assert alert.title == "Acme Ltd lost 32 points in 4 days: 80 to 48"
    assert alert.why.startswith(
        f"The score went from 80 on 2026-10-01 to 48 on 2026-10-05: 32 points lost in 4 days. {UNSEEN}\nWhat"
    )


def test_render__declining__says_the_mean_it_is_below():
    alert = rendered(AlertKind.DECLINING, lived(FIRST), lived(LATER, **DRIFTED), before=Fraction(241, 3))
    assert alert.title == "Acme Ltd is declining: 48, 32.3 below its weekly mean"
    assert alert.why.startswith(
        "The score is 48 on 2026-10-05, 32.3 points below 80.3, the mean of the nights of the 7 days before. "
        f"{UNSEEN}\nWhat"
    )
    assert alert.evidence[0] == Evidence(
        "Score, from the mean of the nights of the 7 days before", day=LATER, before=80.3, after=48
    )


def test_render__silent__says_since_when_there_was_no_event():
    alert = rendered(AlertKind.SILENT, lived(FIRST), lived(LATER, seen=timedelta(days=7, hours=5)))
    assert alert.title == "Acme Ltd has been silent for 7 days"
    assert alert.why.startswith(
        "Nobody has been seen since 2026-09-27 21:00 UTC, 7 days 5 hours before this night's run. "
        "The score went from 80 on 2026-10-01 to 74 (healthy)."
    )
    assert alert.evidence[0] == Evidence("Last event", day=LATER, before=None, after="2026-09-27 21:00 UTC")
    assert "tracking" in alert.action


def test_render__silent_account_never_seen__is_refused():
    with pytest.raises(ValueError, match="never seen"):
        rendered(AlertKind.SILENT, lived(FIRST), lived(LATER, **GONE, seen=None))


def test_render__recovered__is_good_news_with_what_helped():
    alert = rendered(AlertKind.RECOVERED, lived(FIRST, **DRIFTED), lived(LATER))
    assert (alert.title, alert.severity) == ("Acme Ltd is healthy again: 80", Severity.LOW)
    assert alert.why.startswith("The score went from 48 on 2026-10-01 to 80 on 2026-10-05, from at risk to healthy.")
    assert [one.what.partition(":")[0] for one in alert.evidence] == [
        "Score",
        "Band",
        "Activity score",
        "Engagement score",
        "Recency score",
    ]


def test_render__component_that_moved_the_other_way__explains_nothing():
    now = lived(LATER, **{**GONE, "events": 60, "days_active": 30}, seen=timedelta(hours=30))
    grown = lived(FIRST, events=40, seen=timedelta(hours=30))
    alert = rendered(AlertKind.SCORE_FELL, grown, now)
    assert "activity" not in alert.why
    assert all("Activity" not in one.what for one in alert.evidence)


def test_render__band_fell_with_nothing_moved_since__still_says_what_fell():
    """The snapshot that would explain it may be gone; the score's history remains."""
    now = lived(LATER, **DRIFTED)
    alert = render(Change(AlertKind.BAND_FELL, 75, FIRST), ACME, now, now)
    assert alert.why == "The score went from 75 on 2026-10-01 to 48 on 2026-10-05, from healthy to at risk."
    assert alert.action


@pytest.mark.parametrize(
    ("then", "now", "action"),
    [
        ({}, DRIFTED, "Get in touch with Acme Ltd today and find out who uses the product less, and why."),
        (
            {},
            {**GONE, "seen": timedelta(days=31)},
            "Call Acme Ltd today and find out who uses the product less, and why.",
        ),
        (
            {},
            {"session_ms": 0, "seen": timedelta(days=2)},
            (
                "Get in touch with Acme Ltd today: have a regular user show you a recent visit, "
                "and clear what gets in the way."
            ),
        ),
        ({}, {"seen": timedelta(days=5)}, "Get in touch with Acme Ltd today with one concrete reason to come back."),
        (
            {"crm": crm(open_tickets=0, high_priority_open=0)},
            {"crm": crm(open_tickets=1, high_priority_open=1)},
            "Get in touch with Acme Ltd today: say who sees to the high-priority ticket, and until when.",
        ),
        (
            {"crm": crm(open_tickets=0)},
            {"crm": crm(open_tickets=9)},
            "Get in touch with Acme Ltd today: say who sees to the open tickets, and until when.",
        ),
        (
            {"crm": crm(churned=False, open_tickets=0)},
            {"crm": crm(churned=True, open_tickets=0)},
            "Ask whoever marked Acme Ltd as churned in the CRM whether that is final, and note why.",
        ),
    ],
)
def test_render__fall__asks_for_what_fits_the_component_that_lost_most(then, now, action):
    assert rendered(AlertKind.SCORE_FELL, lived(FIRST, **then), lived(LATER, **now)).action == action


def test_render__milestone_taken_from_the_settings__asks_to_check_the_settings():
    then = lived(FIRST, milestones=(Milestone("account_created", instant(FIRST)),))
    now = lived(LATER, configured_milestones=("launched",))
    assert rendered(AlertKind.SCORE_FELL, then, now).action.startswith("Check whether the milestones in the settings")


def test_render__long_name__is_cut_in_the_title():
    subject = Subject("acme", "A very " + "long " * 30 + "name", None)
    alert = render(Change(AlertKind.BAND_FELL, 80, FIRST), subject, lived(FIRST), lived(LATER, **DRIFTED))
    assert len(alert.title) <= 85
    assert alert.title.endswith("… fell to at risk: 48")


def test_render__every_kind_that_the_rules_find__has_words():
    then, now = lived(FIRST), lived(LATER, **GONE, seen=timedelta(days=7, hours=1))
    nights = [lived(FIRST + timedelta(days=offset)).daily for offset in range(3)]
    found = evaluate(nights, then, now, AlertSettings())
    assert [render(change, ACME, then, now).kind for change in found] == [
        AlertKind.BAND_FELL,
        AlertKind.SCORE_FELL,
        AlertKind.DECLINING,
        AlertKind.SILENT,
    ]


def test_alert__to_json_and_back__is_the_same():
    alert = rendered(AlertKind.DECLINING, lived(FIRST), lived(LATER, **DRIFTED), before=Fraction(241, 3))
    assert Alert.from_json(alert.to_json()) == alert
    assert Alert.from_json({**alert.to_json(), "status": "sent"}) == alert


def test_alert__as_json__has_the_members_that_the_api_promises():
    alert = rendered(AlertKind.BAND_FELL, lived(FIRST), lived(LATER, **DRIFTED)).to_json()
    assert alert["evidence"][0] == {
        "what": "Score",
        "since": "2026-10-01",
        "date": "2026-10-05",
        "from": 80,
        "to": 48,
    }
    assert {"alert_id", "account_id", "kind", "severity", "created_at", "title", "why", "action"} <= set(alert)
    assert (alert["kind"], alert["severity"], alert["band"]) == ("band_fell", "medium", "at_risk")
    assert alert["created_at"] == "2026-10-05T02:00:00Z"


def test_alert_id__same_account_kind_and_day__is_the_same_and_no_other_is():
    day = date(2026, 11, 21)
    assert alert_id(AlertKind.SILENT, day, "acme") == "2026-11-21-silent-822b33ad87c148a0a20a"
    others = {
        alert_id(AlertKind.SILENT, day, "acme"),
        alert_id(AlertKind.SILENT, day, "acme2"),
        alert_id(AlertKind.SILENT, date(2026, 11, 22), "acme"),
        alert_id(AlertKind.DECLINING, day, "acme"),
    }
    assert len(others) == 4
    assert alert_id(AlertKind.DIGEST, day, None) == "2026-11-21-digest"
