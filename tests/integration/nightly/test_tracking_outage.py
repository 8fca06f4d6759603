"""Nights on which most accounts are missing at once: one alert says so, and what the others would say waits."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from healthscore.storage.runs import runs
from tests.integration.nightly.nights import NIGHT, THRIVING, TONIGHT, account, items, night, schedule, sweep, use

FLEET = [f"a{number:02}" for number in range(12)]
TOMORROW = TONIGHT + NIGHT


def run(topic, at):
    return night(topic, schedule(at), now=at)


def statuses() -> Counter[str]:
    """What became of the alerts about accounts."""
    found: Counter[str] = Counter()
    for key, item in items("HISTORY_TABLE").items():
        if key[1].startswith("alert#"):
            found[item.get("pending", item.get("outcome", {"S": "sent"}))["S"]] += 1
    return found


def back(accounts, at) -> None:
    """Events of these accounts come in again, as they did before."""
    for account_id in accounts:
        use(account_id, *(at - timedelta(minutes=minutes) for minutes in (200, 199, 190)))


@pytest.fixture
def silent_fleet(topic):
    """All have been there every night, and tonight there is no event of anybody."""
    for account_id in FLEET:
        account(account_id, *[THRIVING] * 8)
    return topic


def test_night__whole_fleet_is_missing__says_so_once_and_holds_the_rest(silent_fleet):
    result = run(silent_fleet, TONIGHT)
    assert result["holding"] is True
    assert sorted(silent_fleet.kinds()) == ["digest", "fleet_silent"]
    assert statuses() == {"held": 12}
    assert silent_fleet.published[0]["Subject"] == "[high] Most accounts fell silent at once: 0 active instead of 12"
    assert "Those of accounts that are out of sight are held" in silent_fleet.alerts()[-1].why


def test_sweep__night_was_judged_to_hold__sends_nothing_of_it(silent_fleet):
    run(silent_fleet, TONIGHT)
    before = silent_fleet.ids()
    sweep(silent_fleet, TONIGHT + timedelta(hours=5))
    assert silent_fleet.ids() == before
    assert statuses() == {"held": 12}


def test_night__still_silent_the_next__holds_on_and_does_not_say_it_again(silent_fleet):
    run(silent_fleet, TONIGHT)
    assert run(silent_fleet, TOMORROW)["holding"] is True
    assert silent_fleet.kinds().count("fleet_silent") == 1
    assert statuses()["held"] >= 12


def test_night__fleet_is_back__withdraws_what_was_held_except_of_those_who_stay_away(silent_fleet):
    run(silent_fleet, TONIGHT)
    back(FLEET[1:], TOMORROW)
    assert run(silent_fleet, TOMORROW)["holding"] is False
    told = [alert for alert in silent_fleet.alerts() if alert.kind not in {"digest", "fleet_silent"}]
    assert {(alert.account_id, alert.day) for alert in told} == {("a00", TONIGHT.date())}
    assert statuses() == {"withdrawn": 11, "sent": 1}


def test_night__some_accounts_leave_as_the_others_stay__is_told_the_same_night(topic):
    for account_id in FLEET:
        account(account_id, *[THRIVING] * 8)
    back(FLEET[2:], TONIGHT)
    assert run(topic, TONIGHT)["holding"] is False
    assert {alert.account_id for alert in topic.alerts() if alert.kind == "band_fell"} >= {"a00", "a01"}
    assert statuses()["held"] == 0


def test_night__account_was_seen_today__is_told_whatever_the_fleet_does(silent_fleet):
    """Its tracking works: that it fell is news."""
    back(FLEET[:1], TONIGHT)
    assert run(silent_fleet, TONIGHT)["holding"] is True
    assert {alert.account_id for alert in silent_fleet.alerts()} == {"a00", None}
    assert statuses()["held"] == 11


def test_night__ended_by_nobody__lets_go_after_the_next_usual_one(topic, monkeypatch):
    """What it held is not lost: the next night that is judged decides."""
    account("gone", *[THRIVING] * 8)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "record_outage", lambda *_, **__: pytest.fail("died here"))
        with pytest.raises(pytest.fail.Exception):
            run(topic, TONIGHT)
    sweep(topic, TONIGHT + timedelta(hours=1))
    assert statuses() == {"held": 1}
    run(topic, TOMORROW)
    assert statuses() == {"sent": 1}


def test_night__killed_after_it_was_judged__is_finished_by_the_sweep(topic, monkeypatch):
    account("gone", *[THRIVING] * 8)
    with monkeypatch.context() as patch:
        patch.setattr("healthscore.services.nightly.finish.messages.let_go", lambda *_: pytest.fail("died here"))
        with pytest.raises(pytest.fail.Exception):
            run(topic, TONIGHT)
    sweep(topic, TONIGHT + timedelta(hours=1))
    assert statuses() == {"sent": 1}
