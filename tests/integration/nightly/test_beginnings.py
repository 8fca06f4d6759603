"""Beginnings: first nights, first rises, and data of earlier days that comes in later."""

from datetime import timedelta

import pytest

from healthscore.core.model import Event
from healthscore.services.ingestion.events import ingest
from healthscore.services.scoring import assess_account, snapshot_at
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from tests.integration.nightly.nights import NIGHT, TONIGHT, account, night, schedule, use
from tests.unit.core.alerts.nights import DRIFTING

DRIFTED = {**DRIFTING, "seen": timedelta(days=4)}


def visit(account_id, first_day, last_day, events=4):
    """One visit a day on the days before tonight from `first_day` to `last_day`, with all milestones on the first."""
    names = ("account_created", "first_feature_used", "integration_connected")
    done = [
        Event(
            f"{account_id}-{age}-{number}",
            account_id,
            names[number] if age == first_day and number < len(names) else "opened",
            TONIGHT - age * NIGHT - timedelta(hours=12) + timedelta(seconds=75 * number),
            user_id="ann",
        )
        for age in range(first_day, last_day - 1, -1)
        for number in range(events)
    ]
    ingest(done, workspace.settings().settings, TONIGHT)


def test_first_night__imported_accounts_in_trouble__are_listed_once_and_none_is_alerted(topic):
    visit("left", 60, 20)
    visit("fine", 60, 0)
    visit("new", 2, 0, events=1)
    night(topic)
    [digest] = topic.alerts()
    seen = (TONIGHT - 20 * NIGHT - timedelta(hours=12)).date()
    assert "In trouble since before their first night here, which is told this once: left (silent since" in digest.why
    assert f"silent since {seen}" in digest.why
    assert "new (" not in digest.why
    tomorrow = TONIGHT + NIGHT
    night(topic, schedule(tomorrow), now=tomorrow)
    assert "In trouble" not in topic.alerts()[-1].why


def test_first_night__backfilled_before__says_since_when_an_account_is_critical(topic):
    visit("left", 60, 32)
    for age in (3, 2, 1):
        night(topic, {"date": (TONIGHT - age * NIGHT).date().isoformat()})
    night(topic)
    [digest] = topic.alerts()
    assert f"critical since {(TONIGHT - 3 * NIGHT).date()}" in digest.why


def test_first_night__only_an_old_night_before__alerts_no_change_since_then(topic):
    visit("left", 60, 20)
    night(topic, {"date": (TONIGHT - 25 * NIGHT).date().isoformat()})
    night(topic)
    assert topic.kinds() == ["digest"]


def rise(account_id):
    """Little use until a week ago, and much of it today."""
    visit(account_id, 12, 6, events=1)
    visit(account_id, 0, 0, events=60)


def test_recovered__never_healthy_before__is_welcomed_as_the_first_time(topic):
    account("acme", DRIFTED, DRIFTED, DRIFTED, DRIFTED)
    rise("acme")
    night(topic)
    [alert] = [alert for alert in topic.alerts() if alert.kind == "recovered"]
    assert alert.title.startswith("acme reached healthy for the first time: ")


def test_recovered__healthy_on_a_night_long_before__is_healthy_again(topic):
    account("acme", {}, *[DRIFTED] * 33)
    rise("acme")
    night(topic)
    [alert] = [alert for alert in topic.alerts() if alert.kind == "recovered"]
    assert alert.title.startswith("acme is healthy again: ")


def test_recovered__healthy_before_its_first_night__is_healthy_again(topic):
    account("acme", DRIFTED, DRIFTED, DRIFTED, DRIFTED)
    visit("acme", 90, 50)
    rise("acme")
    night(topic)
    [alert] = [alert for alert in topic.alerts() if alert.kind == "recovered"]
    assert alert.title.startswith("acme is healthy again: ")


def test_late_events__after_a_night__are_named_as_late_data_and_no_burst(topic):
    use("acme", *(TONIGHT - age * NIGHT - timedelta(hours=1) for age in range(9)))
    night(topic)
    tomorrow = TONIGHT + NIGHT
    night(topic, schedule(tomorrow), now=tomorrow)
    visit("acme", 25, 2, events=3)
    health = assess_account(accounts.get("acme"), tomorrow + timedelta(hours=6), Settings())
    activity = next(driver for driver in health.drivers if driver.component == "activity")
    assert "late data: 72 events of up to 2026-11-21 came in after that (9 → 81 in 30 days)" in activity.cause
    assert "burst" not in activity.cause


def test_late_events__make_the_night_before_healthy_too__are_no_recovery(topic):
    account("acme", DRIFTED, DRIFTED, DRIFTED, DRIFTED)
    use("acme", TONIGHT - timedelta(hours=30))
    visit("acme", 29, 1, events=6)
    night(topic)
    assert topic.kinds() == ["digest"]


def test_why__morning_after_a_night__explains_against_the_night_before(topic):
    visit("acme", 40, 2)
    for age in (2, 1, 0):
        at = TONIGHT - age * NIGHT
        night(topic, schedule(at), now=at)
    health = assess_account(accounts.get("acme"), TONIGHT + timedelta(hours=6, minutes=30), Settings())
    assert health.previous.as_of == TONIGHT - NIGHT
    assert health.drivers


def test_why__only_one_night__explains_against_it(topic):
    visit("acme", 40, 2)
    night(topic)
    health = assess_account(accounts.get("acme"), TONIGHT + NIGHT, Settings())
    assert health.previous.as_of == TONIGHT


@pytest.mark.parametrize("age", [1, 5])
def test_snapshot_at__day_or_instant__is_its_night_or_the_score_as_of_it(topic, age):
    visit("acme", 40, 2)
    night(topic)
    acme, later = accounts.get("acme"), TONIGHT + NIGHT
    assert snapshot_at(acme, TONIGHT.date(), later, Settings()) == acme.latest
    at = TONIGHT - age * NIGHT
    assert snapshot_at(acme, at, later, Settings()).as_of == at
    assert snapshot_at(acme, at.date(), later, Settings()).day == at.date()
    assert snapshot_at(acme, later, later, Settings()) is None
