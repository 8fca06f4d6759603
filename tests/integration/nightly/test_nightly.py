from __future__ import annotations

import io
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.health import snapshot
from healthscore.core.nightly.run_totals import RunTotals
from healthscore.services import alerting
from healthscore.services.nightly import account as night_account
from healthscore.services.nightly import process
from healthscore.services.nightly.finish import finish_run
from healthscore.services.nightly.plan import Run, plan_run
from healthscore.services.nightly.process import COPIED_AT_ONCE, IN_FLIGHT, process_scan_part
from healthscore.services.scoring import assess_account
from healthscore.settings import Settings
from healthscore.storage.accounts import accounts, history
from healthscore.storage.client import dynamodb
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import StorageUnavailableError
from tests.integration.nightly.nights import (
    ABSENT,
    LOGGER,
    NIGHT,
    THRIVING,
    TONIGHT,
    Tables,
    account,
    items,
    night,
    outbox_of,
    schedule,
    use,
)
from tests.unit.core.alerts.nights import DRIFTING

TODAY = TONIGHT.date()
DRIFTED = {**DRIFTING, "seen": timedelta(days=4)}


def test_night__account_with_events__keeps_what_the_live_score_is(topic):
    use("acme", *(TONIGHT - timedelta(hours=hours) for hours in (2, 30, 31, 200)))
    night(topic)
    acme = accounts.get("acme")
    expected = replace(snapshot(assess_account(acme, TONIGHT, Settings())), risk=acme.latest.risk)
    assert expected.score > 0
    assert history.snapshots(accounts.get("acme"), date.min, date.max) == [expected]
    assert (acme.latest, acme.recent) == (expected, (expected.daily,))


def test_night__result__counts_the_night(topic):
    account("fell", THRIVING, THRIVING, THRIVING)
    account("stays", ABSENT)
    account("first")
    account("tomorrow", since=TONIGHT + timedelta(milliseconds=1))
    assert night(topic) == {
        "day": "2026-11-21",
        "as_of": "2026-11-21T02:00:00Z",
        "backfill": False,
        "published": True,
        "scored": 3,
        "new": 1,
        "not_yet": 1,
        "failed": 0,
        "bands": {"healthy": 0, "at_risk": 0, "critical": 3},
        "bands_before": {"healthy": 1, "at_risk": 0, "critical": 1},
        "alerts": {"band_fell": 1},
        "complete": True,
        "holding": False,
        "sent": 2,
        "unsent": 0,
        "left": [],
    }


def test_night__account_not_there_yet_at_its_instant__gets_no_snapshot(topic):
    account("tomorrow", since=TONIGHT + timedelta(milliseconds=1))
    night(topic)
    assert accounts.get("tomorrow").latest is None
    assert history.snapshots(accounts.get("tomorrow"), date.min, date.max) == []


def test_night__empty_workspace__sends_no_digest(topic):
    assert night(topic)["sent"] == 0
    assert topic.published == []


def test_night__alert__carries_the_profile_and_the_causes_since_the_best_night(topic):
    account("acme", THRIVING, DRIFTED, DRIFTED, name="Acme\n Ltd", owner="ana", owner_email="ana@example.com")
    night(topic)
    [alert] = [alert for alert in topic.alerts() if alert.kind == "band_fell"]
    assert alert.title == "Acme Ltd fell to critical: 0"
    assert alert.owner == "ana"
    assert "What moved it since 2026-11-18, in points: activity -40" in alert.why
    assert topic.published[0]["MessageAttributes"]["owner"] == {"DataType": "String", "StringValue": "ana"}


def test_night__only_an_owner_email__is_the_owner(topic):
    account("acme", THRIVING, owner_email="ana@example.com")
    night(topic)
    assert topic.alerts()[0].owner == "ana@example.com"


def test_night__snapshot_that_explains_is_gone__compares_with_last_night(topic, monkeypatch):
    account("acme", THRIVING, DRIFTED, DRIFTED)
    monkeypatch.setattr(history, "snapshots", lambda *_: [])
    night(topic)
    assert "What moved it since 2026-11-20, in points" in topic.alerts()[0].why


def test_night__run_again_later__changes_and_sends_nothing(topic):
    """A second run of a day scores the instant of the first one, even by hand and after the facts have changed."""
    account("fell", THRIVING, THRIVING, THRIVING)
    account("stays", ABSENT)
    first = night(topic)
    stored, sent = (items("ACCOUNTS_TABLE"), items("HISTORY_TABLE")), len(topic.published)
    later = TONIGHT + timedelta(hours=9)
    again = night(topic, {}, now=later)
    assert (items("ACCOUNTS_TABLE"), items("HISTORY_TABLE")) == stored
    assert len(topic.published) == sent
    assert again == {**first, "sent": 0}


def test_night__score_already_kept__stands_although_the_facts_changed(topic):
    """An earlier event came in late before the night was run again: the first snapshot stands."""
    account("acme", ABSENT)
    night(topic)
    [_, kept] = history.snapshots(accounts.get("acme"), date.min, date.max)
    use("acme", TONIGHT - timedelta(hours=1))
    night(topic)
    assert history.snapshots(accounts.get("acme"), date.min, date.max)[-1] == kept
    assert accounts.get("acme").latest == kept


def test_night__last_night_died_before_the_account_was_written__alerts_once(topic, monkeypatch):
    """An alert is stored with the score that brings it, or not at all: then a later night brings it."""
    account("acme", THRIVING, THRIVING, THRIVING)
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "commit_score", lambda *_, **__: pytest.fail("died here"))
        with pytest.raises(pytest.fail.Exception):
            night(topic)
    night(topic, schedule(TONIGHT + NIGHT), now=TONIGHT + NIGHT)
    assert sorted(topic.kinds()) == ["band_fell", "digest"]
    assert {alert.day for alert in topic.alerts()} == {TODAY + NIGHT}


def test_night__later_nights_have_been_run__keeps_the_snapshot_and_alerts_nothing(topic):
    """A run that was delayed for days alerts nothing that is old by then."""
    account("acme", THRIVING, THRIVING, THRIVING)
    for later in (TONIGHT + NIGHT, TONIGHT):
        night(topic, schedule(later), now=TONIGHT + NIGHT)
    assert {alert.day for alert in topic.alerts() if alert.account_id} == {TODAY + NIGHT}
    acme = accounts.get("acme")
    assert acme.latest.day == TODAY + NIGHT
    assert [daily.day for daily in acme.recent][-2:] == [TODAY, TODAY + NIGHT]


def test_nights__account_falls_silent_and_comes_back__is_alerted_once_per_silence(topic):
    """Night after night from real events: nothing is repeated, and a new silence is alerted again."""
    begin = TONIGHT - 40 * NIGHT
    for day in range(30):
        if day < 5 or day == 20:
            use("acme", *(begin + day * NIGHT + timedelta(hours=hour) for hour in (5, 6, 7)))
        night(topic, schedule(begin + (day + 1) * NIGHT), now=begin + (day + 1) * NIGHT)
    silent = [(alert.day - begin.date()).days for alert in topic.alerts() if alert.kind == "silent"]
    assert silent == [12, 28]
    assert len(topic.ids()) == len(set(topic.ids()))
    assert topic.kinds().count("digest") == 30


def test_night__in_parts__is_the_same_as_in_one(topic):
    for number in range(12):
        account(f"a{number}", THRIVING if number % 3 else ABSENT)
    tables = Tables()
    whole, stored = night(topic), items("HISTORY_TABLE")
    tables.bring_back()
    assert night(topic, parts=5) == whole
    assert items("HISTORY_TABLE") == stored


def test_night__one_account_fails__is_named_and_stops_nothing(topic, monkeypatch):
    for account_id in ("good", "bad", "better"):
        account(account_id, ABSENT)
    score = night_account._score

    def broken(one, *given):
        if one.account_id == "bad":
            raise KeyError("secret content")
        return score(one, *given)

    with monkeypatch.context() as patch:
        patch.setattr(night_account, "_score", broken)
        result = night(topic)
    assert (result["scored"], result["failed"], result["left"]) == (2, 1, ["1 failed account"])
    assert "1 account could not be scored at first: bad (KeyError)." in topic.alerts()[-1].why
    assert accounts.get("better").latest.day == TODAY
    again = night(topic)
    assert (again["scored"], again["failed"], again["left"]) == (3, 0, [])
    assert topic.kinds() == ["digest"]


def test_night__account_that_cannot_be_read__stops_nothing(topic):
    for account_id in ("a", "broken", "z"):
        account(account_id, ABSENT)
    dynamodb().update_item(
        TableName=os.environ["ACCOUNTS_TABLE"],
        Key={"account_id": {"S": "broken"}},
        UpdateExpression="SET latest = :garbage",
        ExpressionAttributeValues={":garbage": {"S": "{"}},
    )
    result = night(topic)
    assert (result["scored"], result["left"]) == (2, ["1 failed account"])
    assert "broken (JSONDecodeError)" in topic.alerts()[-1].why


def test_process_part__failure__is_logged_by_place_and_without_contents(topic, monkeypatch):
    account("bad", ABSENT)
    monkeypatch.setattr(night_account, "_score", lambda *_: {}["secret content"])
    stream = io.StringIO()
    process_scan_part(
        plan_run({}, TONIGHT), 0, 1, keep_going=lambda: True, logger=Logger(service="segment-test", stream=stream)
    )
    logged = json.loads(stream.getvalue())
    assert (logged["account_id"], logged["error"]) == ("bad", "KeyError")
    assert "test_nightly.py:" in logged["where"]
    assert "secret" not in stream.getvalue()


def test_night__storage_fails_account_after_account__gives_up(topic, monkeypatch):
    def unavailable(*_):
        raise StorageUnavailableError("ThrottlingException")

    for number in range(5):
        account(f"a{number}", ABSENT)
    monkeypatch.setattr(night_account, "_score", unavailable)
    monkeypatch.setattr(process, "OUTAGE_AFTER", 6)
    assert night(topic)["failed"] == 5
    monkeypatch.setattr(process, "OUTAGE_AFTER", 5)
    with pytest.raises(StorageUnavailableError):
        night(topic)


def test_night__out_of_time__goes_on_where_it_stopped(topic):
    for number in range(6):
        account(f"a{number}", ABSENT)
    run = plan_run(schedule(TONIGHT), TONIGHT)
    time_left = iter([True] * 4 + [False])
    totals = process_scan_part(run, 0, 1, keep_going=lambda: next(time_left), logger=LOGGER).totals
    assert (totals.scored, totals.complete) == (4, False)
    result = finish_run(run, [totals], outbox_of(topic), keep_going=lambda: True)
    assert result["left"] == ["accounts not reached in time"]
    assert topic.published == []
    result = night(topic)
    assert (result["scored"], result["left"]) == (6, [])
    assert topic.kinds() == ["digest"]


def test_process_part__many_accounts__holds_few_at_once(topic, monkeypatch):
    """Not more than the accounts in flight and one batch are read ahead, however many there are."""
    account("acme", ABSENT)
    one, first_batch_read, ahead = accounts.get("acme"), threading.Event(), []
    totals = RunTotals()

    def scan(*_):
        for number in range(5 * IN_FLIGHT):
            ahead.append(number - totals.scored)
            if len(ahead) == IN_FLIGHT:
                first_batch_read.set()
            yield one

    def work(*_):
        first_batch_read.wait()
        found = snapshot(assess_account(one, TONIGHT, Settings()))
        return night_account.AccountResult(alerting.subject(one), None, found, ())

    monkeypatch.setattr(process, "ThreadPoolExecutor", ThreadPoolExecutor)
    monkeypatch.setattr(process, "RunTotals", lambda: totals)
    monkeypatch.setattr(night_account, "_score_tonight", work)
    monkeypatch.setattr(accounts, "scan", scan)
    process_scan_part(Run(TODAY, TONIGHT, Settings()), 0, 1, keep_going=lambda: True, logger=LOGGER)
    assert totals.scored == 5 * IN_FLIGHT
    assert max(ahead) < IN_FLIGHT + COPIED_AT_ONCE


def test_night__erasure_was_begun__is_finished_and_counts_for_nothing(topic):
    account("kept", ABSENT)
    account("gone", THRIVING, name="Gone")
    erasing.mark("gone", TONIGHT)
    result = night(topic)
    assert (result["scored"], result["failed"], result["left"]) == (1, 0, [])
    assert [key for table in ("ACCOUNTS_TABLE", "HISTORY_TABLE") for key in items(table) if "gone" in key[0]] == []


def test_night__erasure_begins_meanwhile__leaves_nothing_of_the_night(topic, monkeypatch):
    account("gone", ABSENT)
    score = night_account._score

    def overtaken(*given):
        erasing.mark("gone", TONIGHT)
        return score(*given)

    monkeypatch.setattr(night_account, "_score", overtaken)
    assert night(topic)["failed"] == 0
    assert [key for table in ("ACCOUNTS_TABLE", "HISTORY_TABLE") for key in items(table) if "gone" in key[0]] == []
