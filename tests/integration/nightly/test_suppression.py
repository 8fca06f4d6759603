"""Acknowledged alerts: over the API, and in the nights after."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from functions.api import handler as api_function
from healthscore.core.alerts import suppression
from healthscore.core.alerts.acknowledgement import MAX_SNOOZE
from healthscore.core.alerts.model import AlertKind, alert_id
from healthscore.core.alerts.suppression import WORSENED_POINTS
from healthscore.core.model import CrmFacts
from healthscore.core.time import format_instant
from healthscore.http.api_keys import CachedKeys, Scope, key_hash
from healthscore.services.rescoring import rescore
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import acknowledgements, messages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.workspace import ApiKey
from tests.integration.nightly.nights import (
    ABSENT,
    NIGHT,
    THRIVING,
    TONIGHT,
    Killed,
    Killer,
    account,
    items,
    night,
    outbox_of,
    schedule,
    sweep,
    use,
)
from tests.support.gateway import gateway_event

HOUR = timedelta(hours=1)
ACKNOWLEDGED_AT = TONIGHT + HOUR
FELL = alert_id(AlertKind.BAND_FELL, TONIGHT.date(), "acme")
KIM = {"by": "Kim", "reason": "Waiting for the renewal talk"}


def until(at):
    return {**KIM, "until": format_instant(at)}


@pytest.fixture(autouse=True)
def keys(topic, described_answers, monkeypatch):
    monkeypatch.setattr(api_function, "find_key", CachedKeys(workspace.find_key))
    for scope in Scope:
        workspace.add_key(ApiKey(key_hash(f"local-{scope}"), scope, "test", TONIGHT, scope[-4:]))


@pytest.fixture
def fell(topic):
    """An account that has fallen to critical tonight, with the alert sent."""
    account("acme", THRIVING, THRIVING, THRIVING, name="Acme")
    night(topic)
    return topic


def ask(method, path, body=None, *, key="local-admin", now=ACKNOWLEDGED_AT):
    response = api_function.handler(gateway_event(method, path, key=key, body=body, now=now), None)
    return response["statusCode"], json.loads(response["body"])


def acknowledge(what, body, *, alert=FELL, now=ACKNOWLEDGED_AT):
    return ask("POST", f"/v1/alerts/{alert}/{what}", body, now=now)


def listed():
    event = gateway_event("GET", "/v1/alerts", key="local-admin", query={"date": TONIGHT.date().isoformat()})
    answered = json.loads(api_function.handler(event, None)["body"])
    return {alert["alert_id"]: alert for alert in answered["alerts"]}


def test_acknowledge__alert__is_shown_with_who_when_and_why(fell):
    assert listed()[FELL]["handling"] is None
    status, answered = acknowledge("acknowledge", KIM)
    assert status == 200
    assert answered["handling"] == {
        "status": "acknowledged",
        **KIM,
        "at": "2026-11-21T03:00:00Z",
        "until": "2026-12-21T03:00:00Z",
    }
    assert (answered["alert_id"], answered["status"]) == (FELL, "sent")
    assert listed()[FELL] == answered


def test_acknowledge__without_a_reason__is_enough(fell):
    assert acknowledge("acknowledge", {"by": "Kim"})[1]["handling"]["reason"] is None


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("acknowledge", {}, "by"),
        ("acknowledge", {"by": " "}, "by"),
        ("acknowledge", {"by": "Kim", "until": format_instant(ACKNOWLEDGED_AT + HOUR)}, "until"),
        ("acknowledge", {"by": "Kim", "reason": "x" * 201}, "reason"),
        ("snooze", {"by": "Kim", "until": format_instant(ACKNOWLEDGED_AT + HOUR)}, "reason"),
        ("snooze", {**KIM}, "until"),
        ("snooze", {**KIM, "until": "tomorrow"}, "until"),
        ("snooze", until(ACKNOWLEDGED_AT), "until"),
        ("snooze", until(ACKNOWLEDGED_AT + MAX_SNOOZE + timedelta(milliseconds=1)), "until"),
    ],
)
def test_acknowledge__body_that_cannot_be__is_refused_and_changes_nothing(fell, what, body, field):
    status, answered = acknowledge(what, body)
    assert (status, answered["code"]) == (400, "invalid_request")
    assert [fault["field"] for fault in answered["fields"]] == [field]
    assert accounts.get("acme").acknowledgement is None


@pytest.mark.parametrize(
    "alert",
    [
        "2026-11-21-band_fell-0",
        "2026-11-21-digest",
        "2026-02-30-band_fell-0",
        "acme",
        alert_id(AlertKind.BAND_FELL, TONIGHT.date(), "other"),
    ],
)
def test_acknowledge__no_alert_of_an_account__is_404(fell, alert):
    status, answered = acknowledge("acknowledge", KIM, alert=alert)
    assert (status, answered["code"]) == (404, "alert_not_found")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
def test_acknowledge__key_that_may_not__is_403(fell, scope):
    assert ask("POST", f"/v1/alerts/{FELL}/snooze", until(ACKNOWLEDGED_AT + HOUR), key=f"local-{scope}")[0] == 403
    assert accounts.get("acme").acknowledgement is None


def test_acknowledge__alert_that_was_withdrawn_or_is_good_news__is_409(topic):
    account("acme", ABSENT, ABSENT)
    for kind, status in ((AlertKind.BAND_FELL, messages.HELD), (AlertKind.RECOVERED, messages.SENT)):
        alert = alert_of(kind)
        messages.add(messages.Message("acme", alert["alert_id"], TONIGHT, alert, status))
    messages.withdraw("acme", FELL)
    for kind in (AlertKind.BAND_FELL, AlertKind.RECOVERED):
        status, answered = acknowledge("acknowledge", KIM, alert=alert_id(kind, TONIGHT.date(), "acme"))
        assert (status, answered["code"]) == (409, "alert_not_open")


def alert_of(kind):
    return {
        "alert_id": alert_id(kind, TONIGHT.date(), "acme"),
        "account_id": "acme",
        "kind": kind.value,
        "severity": "medium",
        "day": TONIGHT.date().isoformat(),
        "created_at": format_instant(TONIGHT),
        **dict.fromkeys(("title", "why", "action"), "text"),
        "evidence": [],
        "band": "at_risk",
        "owner": None,
        "also": [],
    }


def test_acknowledge__repeated__answers_the_first_one(fell):
    first = acknowledge("snooze", until(ACKNOWLEDGED_AT + 2 * NIGHT))
    assert acknowledge("snooze", until(ACKNOWLEDGED_AT + 2 * NIGHT), now=ACKNOWLEDGED_AT + HOUR) == first
    acknowledged = acknowledge("acknowledge", KIM, now=ACKNOWLEDGED_AT + HOUR)
    assert acknowledged[1]["handling"]["at"] == "2026-11-21T04:00:00Z"
    assert acknowledge("acknowledge", KIM, now=ACKNOWLEDGED_AT + 2 * HOUR) == acknowledged
    assert (
        acknowledge("acknowledge", KIM, now=ACKNOWLEDGED_AT + HOUR + MAX_SNOOZE)[1]["handling"]["at"]
        == "2026-12-21T04:00:00Z"
    )


def test_acknowledge__by_two_at_once__both_are_answered_and_one_stands_everywhere(fell):
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda name: acknowledge("acknowledge", {"by": name}), ["Kim", "Lee"]))
    assert [status for status, _ in answers] == [200, 200]
    assert accounts.get("acme").acknowledgement.by == listed()[FELL]["handling"]["by"]


def test_acknowledge__somebody_writes_at_the_same_moment__is_tried_again(fell, monkeypatch):
    keep, failures = acknowledgements.keep, iter([True, False])

    def contended(*arguments):
        if next(failures):
            raise ConditionFailedError("TransactionConflict")
        keep(*arguments)

    monkeypatch.setattr(acknowledgements, "keep", contended)
    monkeypatch.setattr("healthscore.storage.retries.time.sleep", lambda _: None)
    assert acknowledge("acknowledge", KIM)[0] == 200
    assert accounts.get("acme").acknowledgement.by == "Kim"


def test_acknowledge__account_erased__nothing_is_left_of_it(fell):
    acknowledge("acknowledge", {"by": "Kim", "reason": "Zaphod left"})
    assert "Zaphod" in str(items("ACCOUNTS_TABLE"))
    assert "Zaphod" in str(items("HISTORY_TABLE"))
    assert ask("DELETE", "/v1/accounts/acme")[0] == 200
    assert "Zaphod" not in str([items(table) for table in ("ACCOUNTS_TABLE", "HISTORY_TABLE", "ACTIVITY_TABLE")])
    assert acknowledge("acknowledge", KIM)[0] == 404


def test_nights__snooze_ends_and_the_trouble_holds__alert_it_once(fell):
    acknowledge("snooze", until(TONIGHT + NIGHT + HOUR))
    kinds = []
    for age in (1, 2, 3):
        at = TONIGHT + age * NIGHT
        fell.published.clear()
        night(fell, schedule(at), now=at)
        kinds.append([alert.kind.value for alert in fell.alerts() if alert.account_id])
        for alert in fell.alerts():
            if alert.account_id:
                assert alert.title == "Acme is still critical: 0"
                assert alert.why.startswith(
                    "Kim snoozed this account's trouble on 2026-11-21 03:00 UTC until 2026-11-22 03:00 UTC "
                    '("Waiting for the renewal talk"); that time is over.'
                )
    assert kinds == [[], ["snooze_over"], []]


DECLINE = 26
"""Nights after the last event."""


def decline(topic, on_alert):
    """The alerts, night after night, of an account that nobody uses any more; `on_alert` gets each."""
    accounts.save_profile("acme", lambda _: {}, TONIGHT - 100 * NIGHT)
    for age in range(30):
        use("acme", *(TONIGHT - age * NIGHT - minutes * timedelta(minutes=1) for minutes in range(1, 6)))
    alerts = []
    for age in range(DECLINE):
        at = TONIGHT + age * NIGHT
        topic.published.clear()
        night(topic, schedule(at), now=at)
        for alert in topic.alerts():
            if alert.account_id:
                alerts.append(alert)
                on_alert(alert, at + HOUR)
    return alerts


def test_nights__acknowledged_decline__alert_only_that_it_got_worse(topic):
    def acknowledges_the_first(alert, now):
        if accounts.get("acme").acknowledgement is None:
            assert acknowledge("acknowledge", KIM, alert=alert.alert_id, now=now)[0] == 200

    first, *later = decline(topic, acknowledges_the_first)
    known = accounts.get("acme").acknowledgement.score
    assert "Kim" not in first.why
    assert later
    assert all("it has got worse since" in alert.why for alert in later)
    assert all(alert.evidence[0].after <= known - WORSENED_POINTS for alert in later)


def test_nights__decline_that_nobody_acknowledged__alert_more_of_it(topic):
    """The comparison for the test above."""
    alerts = decline(topic, lambda *_: None)
    assert {AlertKind.SILENT} <= {kind for alert in alerts for kind in (alert.kind, *alert.merged)}
    assert all("Kim" not in alert.why for alert in alerts)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_night__killed_and_run_again__alerts_the_same_after_an_acknowledgement(fell, after):
    acknowledge("snooze", until(TONIGHT + HOUR + HOUR))
    tomorrow = TONIGHT + NIGHT
    for at in range(1, 5):
        fell.killer = Killer(at, after=after)
        with fell.killer.watching(), pytest.raises(Killed):
            night(fell, schedule(tomorrow), now=tomorrow)
        fell.killer = Killer()
    result = night(fell, schedule(tomorrow), now=tomorrow)
    assert result["alerts"] == {"snooze_over": 1}
    outbox_of(fell, tomorrow + NIGHT).send([], lambda: True)
    assert set(fell.kinds()) == {"band_fell", "snooze_over", "digest"}


def crm(at, **facts):
    return CrmFacts(received_at=at, unknown=frozenset({"last_meeting_at", "last_email_at", "last_contact_at"}), **facts)


def test_crm_change__of_an_acknowledged_account__is_alerted_only_if_it_got_worse(topic, monkeypatch):
    """A change between two nights is suppressed by the same rules as a night's."""
    monkeypatch.setattr(suppression, "WORSENED_POINTS", 5)  # a CRM alone moves a score no further than some points
    for minutes in range(1, 6):
        use("acme", *(TONIGHT - age * NIGHT - minutes * timedelta(minutes=1) for age in range(30)))
    account("acme", THRIVING, THRIVING, THRIVING)
    calm = {"open_tickets": 0, "high_priority_open": 0, "active_deal": True}
    accounts.save_crm("acme", crm(TONIGHT - HOUR, **calm))
    night(topic)

    def change(hour, **figures):
        facts = crm(TONIGHT + hour * HOUR, **(calm | figures))
        current, alerts = rescore(accounts.get("acme"), facts, facts.received_at, Settings(), alerting=True)
        return current.score, alerts

    score, [fell] = change(9, open_tickets=9)
    assert (score, fell.kind) == (68, AlertKind.BAND_FELL)
    assert acknowledge("acknowledge", KIM, alert=fell.alert_id, now=TONIGHT + 9 * HOUR)[0] == 200
    use("acme", *(TONIGHT + 23 * HOUR + minutes * timedelta(minutes=1) for minutes in range(1, 6)))
    tomorrow = TONIGHT + NIGHT
    sweep(topic, tomorrow - HOUR)
    topic.published.clear()
    night(topic, schedule(tomorrow), now=tomorrow)
    assert topic.kinds() == ["digest"]
    assert change(33, open_tickets=20) == (68, [])
    score, [further] = change(34, open_tickets=30, churned=True, active_deal=False, high_priority_open=9)
    assert (score, further.kind, further.title) == (63, AlertKind.SCORE_FELL, "acme lost 5 points in 1 day: 68 to 63")
    assert "9 high-priority tickets were opened. Kim acknowledged this account's trouble" in further.why
