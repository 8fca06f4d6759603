"""Signals, findings, decisions and people of an account, as the function that serves its page answers them."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from aws_lambda_powertools import Logger

from functions.score import handler as score_function
from healthscore.core.identity.calls import Alias
from healthscore.core.model import CrmFacts, Event
from healthscore.core.signals.settings import EarlyWarningSettings
from healthscore.core.time import millis
from healthscore.http.api_keys import CachedKeys, Scope, key_hash
from healthscore.services.ingestion.events import ingest
from healthscore.services.ingestion.identity import Tracker
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.settings import Settings
from healthscore.storage import workspace, writes
from healthscore.storage.accounts import accounts, risk_history
from healthscore.storage.people import traits
from healthscore.storage.workspace import ApiKey
from tests.integration.identity.calls import calls_of
from tests.support.gateway import NOW, gateway_event

TONIGHT = NOW.replace(hour=2)
LOGGER = Logger(service="test", level="CRITICAL")
BEGUN = date(2026, 4, 6)  # a Monday
FELL = date(2026, 10, 26)  # a Monday, four complete weeks before tonight's last one ends
SETTINGS = EarlyWarningSettings(("report_exported",), {"Jira": ("issue_created",)})


@pytest.fixture(autouse=True)
def product(moto, described_answers, monkeypatch):
    monkeypatch.setattr(score_function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("read"), Scope.READ, "read", NOW, "read"))
    workspace.save_settings(Settings(early_warning=SETTINGS), NOW)


def did(day: date, user: str | None, name: str, account_id: str = "acme") -> Event:
    at = datetime(day.year, day.month, day.day, 10, tzinfo=NOW.tzinfo)
    return Event(f"{day}-{user}-{name}", account_id, name, at, user)


def use(account_id: str = "acme") -> list[Event]:
    """Five days a week of ann, one of ben; since `FELL` one day a week of both. Issues come in day and night."""
    events = []
    for number in range((TONIGHT.date() - BEGUN).days):
        day = BEGUN + timedelta(days=number)
        if day.weekday() < (5 if day < FELL else 1):
            events += [did(day, "ann", name, account_id) for name in ("page_viewed", "report_exported")]
        if day.weekday() == 0:
            events.append(did(day, "ben", "searched", account_id))
        events.append(did(day, None, "issue_created", account_id))
    return events


def night(at: datetime = TONIGHT) -> None:
    run = plan_run({"time": at.isoformat()}, at)
    process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)


@pytest.fixture
def acme():
    ingest(use(), workspace.settings().settings, TONIGHT - timedelta(hours=1))
    traits.describe("uann", {"name": "Ann Lee"}, millis(NOW))
    accounts.save_profile("acme", lambda _: {"owner": "Kim"}, NOW - timedelta(days=1))
    night()


def record(*calls) -> None:
    Tracker(workspace.settings().settings, NOW, lambda: float("inf")).record(calls_of(calls))


def ask(what: str, account_id: str = "acme", **query: str) -> tuple[int, dict]:
    path = f"/v1/accounts/{account_id}/{what}"
    response = score_function.handler(gateway_event("GET", path, key="read", query=query), None)
    return response["statusCode"], json.loads(response["body"])


def answer(what: str, **query: str) -> dict:
    status, body = ask(what, **query)
    assert status == 200, body
    return body


def test_signals__of_a_drop__say_what_fell_why_and_what_to_do(acme):
    found = answer("signals")
    assert (found["as_of"], found["last_day"], found["complete"]) == ("2026-11-21", "2026-11-20", True)
    risk = found["risk"]
    assert (risk["state"], risk["previous"], risk["since"]) == ("yellow", "monitor", "2026-11-17")
    assert risk["reason"].startswith("Two things fall at once: ")
    assert risk["action"].startswith("Hold a working session")
    assert risk["due"] == "2026-11-24"
    assert risk["coverage"] == ["active_days", "users", "value", "breadth", "integration:Jira"]
    by_key = {one["key"]: one for one in found["signals"]}
    assert list(by_key) == ["active_days", "users", "value", "breadth", "integration:Jira"]
    assert (by_key["active_days"]["level"], by_key["active_days"]["usual"]) == (8, 20)
    assert found["news"] == []
    assert by_key["active_days"]["recovery"] == "depressed"
    assert by_key["integration:Jira"]["slopes"]["30"] == {"direction": "steady", "percent": 0}
    assert by_key["users"]["level"] == by_key["users"]["usual"] == 8
    assert (found["habits"]["last_active"], found["habits"]["silent_days"]) == ("2026-11-16", 4)


def test_signals__at_any_time_of_a_day_and_by_its_day__are_the_same(acme):
    first = answer("signals", as_of="2026-11-20")
    assert (first["as_of"], first["last_day"]) == ("2026-11-20", "2026-11-19")
    for instant in ("2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999Z", "2026-11-20T12:00:00+02:00"):
        assert answer("signals", as_of=instant) == first


def test_signals__of_a_past_night__say_what_was_known_then(acme):
    risk = answer("signals", as_of="2026-11-10")["risk"]
    assert (risk["state"], risk["since"], risk["action"]) == ("monitor", "2026-11-03", "Note it; no outreach.")
    assert answer("signals", as_of="2026-10-20")["risk"]["state"] == "ok"


@pytest.mark.parametrize("what", ["signals", "findings", "people"])
@pytest.mark.parametrize(
    ("as_of", "code"),
    [
        ("2026-11-22", "as_of_in_future"),
        ("2026-11-21T10:00:00.001Z", "as_of_in_future"),
        ("2025-08-17", "as_of_too_old"),
        ("2025-08-18T09:59:59.999Z", "as_of_too_old"),
        ("0001-01-01", "as_of_too_old"),
        ("0001-01-01T00:00:00+14:00", "invalid_request"),
        ("9999-12-31", "as_of_in_future"),
        ("soon", "invalid_request"),
    ],
)
def test_as_of__that_cannot_be_asked_about__is_refused(what, as_of, code):
    accounts.save_profile("acme", lambda _: {}, NOW)
    status, body = ask(what, as_of=as_of)
    assert (status, body["code"]) == (400, code)


@pytest.mark.parametrize("as_of", ["2025-08-18", "2025-08-18T10:00:00Z", "2026-11-21", "2026-11-21T10:00:00Z"])
def test_as_of__at_the_edges__is_taken(as_of):
    accounts.save_profile("acme", lambda _: {}, NOW)
    assert answer("signals", as_of=as_of)["risk"]["state"] is None


@pytest.mark.parametrize("what", ["signals", "findings", "decisions", "people"])
def test_account__that_is_not_known__is_404(what):
    assert ask(what, "nobody")[0] == 404


@pytest.mark.parametrize("what", ["signals", "findings", "decisions", "people"])
def test_account__that_no_night_has_seen__is_answered_with_nothing(what):
    accounts.save_profile("acme", lambda _: {"champions": ["eve"]}, NOW)
    found = answer(what)
    if what == "signals":
        assert (found["complete"], found["habits"], found["risk"]["state"]) == (True, None, None)
    if what == "people":
        assert [(one["id"], one["last_active"], one["champion"]) for one in found["people"]] == [("eve", None, "named")]
    if what in {"findings", "decisions"}:
        assert found[what] == []


def test_champion__that_is_inferred__is_named_by_the_name_that_is_known(acme):
    champion = answer("signals")["champion"]
    assert champion["people"] == [{"id": "ann", "name": "Ann Lee"}]
    assert (champion["state"], champion["inferred"], champion["silent_days"]) == ("responsive", True, 4)


def test_findings__of_a_silent_champion__have_the_name_in_their_sentence(acme):
    accounts.save_profile("acme", lambda _: {"champions": ["ann"]}, NOW - timedelta(days=1))
    later = NOW + timedelta(days=40)
    workspace.save_settings(Settings(early_warning=SETTINGS._replace(quiet_days=("2020-01-01",))), NOW)
    ingest([did(date(2026, 12, 28), "ben", "searched")], workspace.settings().settings, later)
    night(later)
    response = score_function.handler(gateway_event("GET", "/v1/accounts/acme/findings", key="read", now=later), None)
    findings = json.loads(response["body"])["findings"]
    (found,) = [one for one in findings if one["detector"] == "champion"]
    assert found["people"] == [{"id": "ann", "name": "Ann Lee"}]
    assert found["sentence"].startswith("Ann Lee has not been seen for ")


def test_findings__open_ones_first_and_newest__come_page_by_page_and_by_state(acme):
    every = answer("findings")["findings"]
    assert [one["detector"] for one in every if one["state"] == "firing"] == ["multiple", "drop", "drop"]
    assert [one["state"] == "closed" for one in every] == sorted(one["state"] == "closed" for one in every)
    paged, cursor = [], None
    while True:
        page = answer("findings", limit="2", **({"cursor": cursor} if cursor else {}))
        paged, cursor = paged + page["findings"], page["next_cursor"]
        if cursor is None:
            break
    assert paged == every
    firing = answer("findings", state="firing")["findings"]
    assert firing == [one for one in every if one["state"] == "firing"]
    assert ask("findings", state="loud")[1]["code"] == "invalid_request"
    first = answer("findings", limit="1")["next_cursor"]
    assert ask("findings", state="firing", cursor=first)[1]["code"] == "invalid_request"


def test_people__of_a_night__are_those_who_were_there_until_then(acme):
    accounts.save_profile("acme", lambda _: {"champions": ["ben", "eve"]}, NOW - timedelta(days=2))
    people = {one["id"]: one for one in answer("people")["people"]}
    assert list(people) == ["ann", "ben", "eve"]
    assert people["ann"] == {
        "id": "ann",
        "name": "Ann Lee",
        "first_active": "2026-04-06",
        "last_active": "2026-11-16",
        "active_days_28": 4,
        "active_days_91": 49,
        "champion": "none",
    }
    assert [people[one]["champion"] for one in ("ben", "eve")] == ["named", "named"]
    past = answer("people", as_of="2026-04-07", limit="1")
    assert [(one["id"], one["last_active"]) for one in past["people"]] == [("ann", "2026-04-06")]
    rest = answer("people", as_of="2026-04-07", cursor=past["next_cursor"])["people"]
    assert [one["id"] for one in rest] == ["ben"]


def answer_at(what: str, at: datetime) -> dict:
    response = score_function.handler(gateway_event("GET", f"/v1/accounts/acme/{what}", key="read", now=at), None)
    return json.loads(response["body"])


def test_signals__after_midnight_before_the_night__have_the_new_day(acme):
    ingest([did(NOW.date(), "eve", "searched")], workspace.settings().settings, NOW)
    found = answer_at("signals", NOW + timedelta(days=1))
    assert (found["last_day"], found["complete"]) == ("2026-11-21", True)
    assert answer_at("people", NOW + timedelta(days=1))["people"][0]["id"] == "eve"
    assert answer("people")["people"][0]["id"] == "ann"


def test_account__with_events_that_no_night_has_seen__is_not_complete():
    ingest(use(), workspace.settings().settings, NOW)
    found = answer("signals")
    assert (found["complete"], found["habits"], found["risk"]["state"]) == (False, None, None)


def test_champion__who_is_known_by_another_id__is_not_silent(acme):
    accounts.save_profile("acme", lambda _: {"champions": ["ann@work"]}, NOW - timedelta(days=60))
    assert answer("signals")["champion"]["state"] == "silent"
    record(Alias("uann@work", millis(NOW), "uann"))
    champion = answer("signals")["champion"]
    assert (champion["state"], champion["people"]) == ("responsive", [{"id": "ann@work", "name": "Ann Lee"}])


def test_decisions__newest_first__are_answered_as_they_were_stored():
    accounts.save_profile("acme", lambda _: {}, NOW)
    stored = [
        {
            "date": f"2026-11-{day:02d}",
            "from": None,
            "to": "ok",
            "reasons": [],
            "ended": None,
            "action": None,
            "people": [],
            "due": None,
            "owner": "unassigned",
            "escalated_to": None,
        }
        for day in range(1, 6)
    ]
    for decision in stored:
        writes.apply(risk_history.put_decision("acme", decision))
    first = answer("decisions", limit="3")
    rest = answer("decisions", limit="3", cursor=first["next_cursor"])
    assert first["decisions"] + rest["decisions"] == stored[::-1]
    assert rest["next_cursor"] is None
    exactly = answer("decisions", limit="5")
    assert exactly["next_cursor"] is None


def test_profile__that_changed_since__is_not_what_a_past_night_judged_by(acme):
    accounts.save_profile("acme", lambda stored: {**stored, "expected_cadence_days": 90}, NOW - timedelta(days=1))
    assert answer("signals", as_of="2026-11-20")["risk"]["state"] == "yellow"
    covered = answer("signals", as_of="2026-11-21")["risk"]["coverage"]
    assert covered == []


def test_customer__that_has_left__has_no_state_from_then_on(acme):
    accounts.save_crm("acme", CrmFacts(received_at=NOW - timedelta(days=3), churned=True))
    assert answer("signals", as_of="2026-11-18")["risk"]["state"] == "yellow"
    assert answer("signals")["risk"]["state"] is None


def test_account__that_became_a_customer_long_ago__is_answered_as_soon(acme):
    accounts.save_profile("acme", lambda _: {"created_at": "0001-01-01"}, NOW - timedelta(days=1))
    assert answer("signals")["risk"]["state"] == "yellow"
    accounts.save_profile("unused", lambda _: {"created_at": "0001-01-01T00:00:00Z"}, NOW - timedelta(days=1))
    assert ask("signals", "unused")[1]["risk"]["state"] is None


def test_news__of_growth__is_shown_for_a_quarter():
    """One day a week of ann for 20 weeks, then three days a week of three people for five."""
    events = []
    for ago in range(25 * 7, 0, -1):
        day = TONIGHT.date() - timedelta(days=ago)
        if ago > 5 * 7 and day.weekday() == 0:
            events.append(did(day, "ann", "searched"))
        if ago <= 5 * 7 and day.weekday() < 3:
            events += [did(day, user, "searched") for user in ("ann", "ben", "eve")]
    ingest(events, workspace.settings().settings, TONIGHT - timedelta(hours=1))
    night()
    news = answer("signals")["news"]
    assert [(one["detector"], one["signal"]) for one in news] == [("growth", "active_days")]
    assert news[0]["sentence"].endswith("together 150 %: room for more seats?")
    assert news[0]["evidence"][0]["percent"] == 150
    assert answer("signals", as_of=news[0]["date"])["news"] == []
    assert answer_at("signals", NOW + timedelta(days=100))["news"] == []


def test_suggestions__of_events_without_people__ask_whether_it_is_an_api():
    days = [TONIGHT.date() - timedelta(days=number) for number in range(1, 40)]
    ingest([did(day, None, "synced") for day in days], workspace.settings().settings, NOW)
    night()
    (suggestion,) = answer("signals")["suggestions"]
    assert (suggestion["field"], suggestion["value"]) == ("usage_channel", "api")
    accounts.save_profile("acme", lambda _: {"usage_channel": "api"}, NOW - timedelta(days=1))
    assert answer("signals")["suggestions"] == []


def test_suggestions__of_integrations__ask_the_same_and_of_people_ask_nothing(acme):
    assert answer("signals")["suggestions"] == []
    days = [TONIGHT.date() - timedelta(days=number) for number in range(1, 40)]
    ingest([did(day, "robot", "issue_created", "bolt") for day in days], workspace.settings().settings, NOW)
    night()
    (suggestion,) = ask("signals", "bolt")[1]["suggestions"]
    assert suggestion["field"] == "usage_channel"


def test_suggestions__of_long_pauses__ask_whether_this_is_its_rhythm():
    days = [TONIGHT.date() - timedelta(days=number) for number in (1, 60, 120, 180)]
    ingest([did(day, "ann", "filed") for day in days], workspace.settings().settings, NOW)
    night()
    (suggestion,) = answer("signals")["suggestions"]
    assert (suggestion["field"], suggestion["value"]) == ("expected_cadence_days", None)
    accounts.save_profile("acme", lambda _: {"expected_cadence_days": 60}, NOW - timedelta(days=1))
    assert answer("signals")["suggestions"] == []


def test_tickets__that_a_crm_counts__are_shown_by_week(acme):
    accounts.save_crm("acme", CrmFacts(received_at=NOW - timedelta(days=30), open_tickets=3))
    assert answer("signals")["tickets"] == []
    night(TONIGHT + timedelta(days=2))
    response = score_function.handler(
        gateway_event("GET", "/v1/accounts/acme/signals", key="read", now=NOW + timedelta(days=2)), None
    )
    assert json.loads(response["body"])["tickets"] == [{"week": "2026-11-16", "open": 3}]
