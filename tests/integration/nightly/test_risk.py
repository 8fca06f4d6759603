"""The risk of accounts, from real events: each change is kept once, whatever crashes or comes late."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from aws_lambda_powertools import Logger

from healthscore.core.model import Event
from healthscore.core.time import DAY
from healthscore.integrations.crm.facts import nothing_known
from healthscore.services import erasure
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly import account as night_account
from healthscore.services.nightly import process
from healthscore.services.nightly.attendance import week_count
from healthscore.services.nightly.plan import plan_run
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, history, risk_history
from tests.faults.injection import Killed
from tests.integration.nightly.nights import items

LOGGER = Logger(service="test", level="CRITICAL")
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)
STEADY = [5] * 20
FALL = [2, 1, 2]


@pytest.fixture(autouse=True)
def zone(moto):
    workspace.fix_timezone()


def events(*active, account="acme", users=("kim", "ann"), begin=MONDAY):
    """So many active days a week, each with one event of every user."""
    return [
        Event(f"{account}-{week}-{day}-{user}", account, "report_exported", at, user_id=user)
        for week, days in enumerate(active)
        for day in range(days)
        for user in users
        if (at := begin + week * WEEK + day * DAY + timedelta(hours=9))
    ]


def send(some, now):
    ingest(some, Settings(), now)


def night(at):
    """The night of a day, at two in the morning."""
    at = at.replace(hour=2)
    run = plan_run({"time": at.isoformat()}, at)
    totals = process.process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER).totals
    assert (totals.failed, totals.complete) == (0, True)


def tuesday(week):
    """The day after the Monday that follows a week: in its night the week is judged."""
    return MONDAY + (week + 1) * WEEK + DAY


def lived(active, *, now, nights=(), **given):
    """An account with a history, and some nights."""
    send(events(*active, **given), now)
    for at in nights:
        night(at)


def risk():
    return accounts.get("acme").latest.risk


def decisions():
    return risk_history.decisions("acme", limit=50, after=None)[0]


def test_nights__use_falls_and_comes_back__keep_each_change_once():
    life = events(*STEADY, *FALL, 3, 3, 5, 5, 5)
    first = MONDAY + 19 * WEEK
    send([event for event in life if event.at < first], first)
    for number in range(9 * 7):
        at = first + number * DAY
        night(at)
        if of_day := [event for event in life if at <= event.at < at + DAY]:
            send(of_day, at + timedelta(hours=20))
    assert [(one["date"], one["from"], one["to"]) for one in reversed(decisions())] == [
        (tuesday(20).date().isoformat(), "ok", "monitor"),
        (tuesday(22).date().isoformat(), "monitor", "yellow"),
        (tuesday(26).date().isoformat(), "yellow", "ok"),
    ]
    assert risk().state == "ok"
    found = {one["signal"]: one for one in risk_history.findings("acme") if one["detector"] == "drop"}
    assert (found["active_days"]["state"], found["active_days"]["closed_how"]) == ("closed", "recovered")
    kept = history.snapshots(accounts.get("acme"), MONDAY.date(), (MONDAY + 60 * WEEK).date())
    states = {one.day: one.risk.state for one in kept if one.risk}
    assert (states[tuesday(20).date()], states[tuesday(22).date()], states[tuesday(26).date()]) == (
        "monitor",
        "yellow",
        "ok",
    )


def test_night__run_again__keeps_what_it_has_decided():
    at = tuesday(22)
    lived([*STEADY, *FALL], now=at - DAY, nights=[at])
    before = items("HISTORY_TABLE")
    assert (risk().state, len(decisions())) == ("yellow", 1)
    night(at)
    assert items("HISTORY_TABLE") == before


def test_night__late_events_take_a_finding_back__withdraws_it_and_says_what_came_in():
    at = tuesday(22)
    lived([*STEADY, *FALL], now=at - DAY, nights=[at])
    send(events(*STEADY, 5, 5, 5), at + timedelta(hours=5))
    night(at + DAY)
    finding = next(one for one in risk_history.findings("acme") if one["signal"] == "active_days")
    assert (finding["state"], finding["closed_how"], finding["closed"]) == (
        "closed",
        "withdrawn",
        at.date().isoformat(),
    )
    assert finding["came_in"].startswith("Events of ")
    assert finding["came_in"].endswith(" came in late.")
    assert [(one["from"], one["to"]) for one in decisions()] == [("yellow", "ok"), (None, "yellow")]


def test_night__past_day_again__judges_it_by_what_is_known_now_and_decides_nothing():
    at = tuesday(22)
    lived([*STEADY, *FALL], now=at - DAY, nights=[at])
    before = decisions()
    run = plan_run({"date": (at - 14 * DAY).date().isoformat()}, at)
    process.process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)
    (kept,) = history.snapshots(accounts.get("acme"), run.day, run.day)
    assert (kept.risk.state, kept.risk.day) == ("monitor", run.day - DAY)
    assert decisions() == before


def test_night__last_night_again_by_other_settings__keeps_its_risk_so_that_the_next_night_decides():
    at = tuesday(22)
    lived([*STEADY, *FALL], now=at - DAY, nights=[at])
    run = plan_run({"date": at.date().isoformat()}, at + DAY)
    off = run.settings.early_warning._replace(signals={"drop": False, "repeated": False})
    run = replace(run, settings=replace(run.settings, early_warning=off))
    process.process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)
    assert risk().state == "yellow"
    tomorrow = replace(plan_run({"time": (at + DAY).isoformat()}, at + DAY), settings=run.settings)
    process.process_scan_part(tomorrow, 0, 1, keep_going=lambda: True, logger=LOGGER)
    assert [(one["from"], one["to"]) for one in decisions()] == [("yellow", "ok"), (None, "yellow")]


def test_night__customer_left_since_midnight__ends_the_episode_with_the_next_night():
    """A night judges by what was known up to its last complete day."""
    at = tuesday(22)
    send(events(*STEADY, *FALL), at - DAY)
    facts = nothing_known("hubspot", at + timedelta(hours=1))
    accounts.save_crm("acme", replace(facts, churned=True, unknown=facts.unknown - {"churned"}))
    night(at)
    night(at + DAY)
    assert [(one["from"], one["to"], one["ended"]) for one in decisions()] == [
        ("yellow", None, "lost"),
        (None, "yellow", None),
    ]


def test_night__killed_at_any_call_and_run_again__keeps_the_same(monkeypatch):
    """Which call it is that never comes back makes no difference to what is kept in the end."""
    at = tuesday(22)
    expected = None
    for number in range(30):
        account = f"acme-{number}"
        send(events(*STEADY, *FALL, account=account), at - DAY)
        with monkeypatch.context() as patch:
            died = _dying_at(patch, number, account, at)
        night(at)
        kept = (accounts.get(account).latest.risk, risk_history.decisions(account, limit=9, after=None)[0])
        found = risk_history.findings(account)
        shape = kept, [(one["detector"], one["signal"], one["state"], one["opened"]) for one in found]
        expected = expected or shape
        assert shape == expected
        if not died:
            break
    else:
        raise AssertionError("the night makes more calls than were tried")
    assert number > 4


def _dying_at(patch, number, account, at):
    """Process one account, and die before a call; answers whether it got to that."""
    calls = 0
    make = boto3.client("dynamodb").__class__._make_api_call

    def call(self, *given):
        nonlocal calls
        calls += 1
        if calls > number:
            raise Killed
        return make(self, *given)

    from botocore.client import BaseClient  # noqa: PLC0415

    one, at = accounts.get(account), at.replace(hour=2)
    run = plan_run({"time": at.isoformat()}, at)
    patch.setattr(BaseClient, "_make_api_call", call)
    try:
        night_account.process_account(one, night_account.Night(run, week_count(run), lambda: True), copied=False)
    except Killed:
        return True
    finally:
        patch.setattr(BaseClient, "_make_api_call", make)
    return False


def _silent_champion():
    """An account whose champion is gone for a month, while somebody else still comes."""
    at = tuesday(25)
    send(events(*[5] * 20, users=("kim",)), at)
    send(events(*[2] * 26, users=("ann",)), at)
    return at


def test_decision__about_a_person__names_the_id_alone_and_forgets_an_erased_one():
    at = _silent_champion()
    night(at)
    (decision,) = decisions()
    (reason,) = [one for one in decision["reasons"] if one["detector"] == "champion"]
    assert reason["people"] == ["kim"]
    assert "kim" not in json.dumps(accounts.get("acme").latest.risk.reason)
    erasure.erase_user("acme", "kim", at, lambda: True)
    assert "kim" not in json.dumps([decisions(), risk_history.findings("acme")])
    assert decisions()[0]["reasons"][-1]["people"] in ([None], [])


def test_champion__erased_after_a_night_has_read_the_account__is_in_nothing_that_it_keeps(monkeypatch):
    """The profile as the night has read it still names the champion, whose days are gone by then."""
    lived([5] * 30, now=MONDAY + 31 * WEEK)
    accounts.save_profile("acme", lambda _: {"champions": ["kim"]}, MONDAY + 10 * WEEK)
    at = MONDAY + 30 * WEEK + DAY
    process_account = process.process_account

    def overtaken(account, *given):
        monkeypatch.setattr(process, "process_account", process_account)
        erasure.erase_user("acme", "kim", at, lambda: True)
        return process_account(account, *given)

    monkeypatch.setattr(process, "process_account", overtaken)
    night(at)
    assert risk().day == (at - DAY).date()
    kept = [decisions(), risk_history.findings("acme"), str(items("HISTORY_TABLE")), str(items("ACCOUNTS_TABLE"))]
    assert "kim" not in json.dumps(kept)


def test_user__erased_while_a_night_decides_by_that_user__is_in_nothing_that_it_keeps(monkeypatch):
    at = _silent_champion()
    judge = night_account.judge

    def overtaken(*given):
        judged = judge(*given)
        monkeypatch.setattr(night_account, "judge", judge)
        erasure.erase_user("acme", "kim", at, lambda: True)
        return judged

    monkeypatch.setattr(night_account, "judge", overtaken)
    night(at)
    assert risk().day == (at - DAY).date()
    assert "kim" not in json.dumps([decisions(), risk_history.findings("acme"), str(items("ACTIVITY_TABLE"))])
