from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from healthscore.core.health import snapshot
from healthscore.services.scoring import assess_account
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, history
from tests.integration.nightly.nights import LONG_AGO, NIGHT, THRIVING, TONIGHT, account, items, night, use

TODAY = TONIGHT.date()


def test_backfill__past_day__is_scored_as_of_its_end_and_alerts_nothing(topic):
    use("acme", TONIGHT - 2 * NIGHT, TONIGHT - NIGHT - timedelta(hours=3))
    account("acme", THRIVING, THRIVING, THRIVING, since=LONG_AGO)
    result = night(topic, {"date": "2026-11-19"})
    assert (result["backfill"], result["as_of"], result["scored"]) == (True, "2026-11-19T23:59:59.999Z", 1)
    kept = {one.day: one for one in history.snapshots(accounts.get("acme"), date.min, date.max)}
    day = date(2026, 11, 19)
    assert kept[day] == snapshot(assess_account(accounts.get("acme"), kept[day].as_of, Settings()))
    assert kept[day].as_of == datetime(2026, 11, 19, 23, 59, 59, 999_000, UTC)
    assert topic.published == []
    acme = accounts.get("acme")
    assert acme.latest.day == date(2026, 11, 20)
    assert [(daily.day.day, daily.score) for daily in acme.recent] == [(18, 80), (19, kept[day].score), (20, 80)]


def test_backfill__workspace_in_another_zone__ends_the_day_there(topic):
    workspace.save_settings(Settings(timezone="America/New_York"), LONG_AGO)
    account("acme")
    result = night(topic, {"date": "2026-11-19"})
    assert result["as_of"] == "2026-11-20T04:59:59.999Z"
    [kept] = history.snapshots(accounts.get("acme"), date.min, date.max)
    assert kept.day == date(2026, 11, 19)


def test_backfill__thirty_days_twice_then_the_night__compares_with_the_backfilled_nights(topic):
    use("acme", *(TONIGHT - timedelta(days=40, minutes=-minute) for minute in range(60)))
    days = [TODAY - offset * NIGHT for offset in range(1, 31)]
    for day in days:
        night(topic, {"date": day.isoformat()})
    once = (items("ACCOUNTS_TABLE"), items("HISTORY_TABLE"))
    for day in reversed(days):
        night(topic, {"date": day.isoformat()})
    assert (items("ACCOUNTS_TABLE"), items("HISTORY_TABLE")) == once
    assert topic.published == []
    acme = accounts.get("acme")
    assert [daily.day for daily in acme.recent] == sorted(days)
    assert acme.latest.day == TODAY - NIGHT
    scores = {daily.day: daily.score for daily in acme.recent}
    assert scores[TODAY - 12 * NIGHT] > scores[TODAY - 10 * NIGHT] == 0
    night(topic)
    assert topic.kinds() == ["digest"]
    assert [daily.day for daily in accounts.get("acme").recent] == sorted([*days, TODAY])[1:]


def test_backfill__days_before_an_account_was_known__are_left_out(topic):
    account("acme", since=TONIGHT - 2 * NIGHT)
    assert night(topic, {"date": "2026-11-18"})["not_yet"] == 1
    assert night(topic, {"date": "2026-11-19"})["scored"] == 1
