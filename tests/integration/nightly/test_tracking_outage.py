"""Tracking outages: one alert reports that most accounts are missing, and alerts about these accounts are held."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from healthscore.storage.runs import runs
from tests.integration.nightly.nights import (
    ABSENT,
    NIGHT,
    THRIVING,
    TONIGHT,
    account,
    items,
    night,
    schedule,
    sweep,
    use,
)

pytestmark = pytest.mark.no_cover  # it would double their time, and shorter tests reach the same lines
ACCOUNTS = [f"a{number:02}" for number in range(12)]
TOMORROW = TONIGHT + NIGHT


def run(topic, at):
    return night(topic, schedule(at), now=at)


def statuses() -> Counter[str]:
    """The status of the alerts about accounts."""
    found: Counter[str] = Counter()
    for key, item in items("HISTORY_TABLE").items():
        if key[1].startswith("alert#"):
            found[item.get("pending", item.get("outcome", {"S": "sent"}))["S"]] += 1
    return found


def back(accounts, at) -> None:
    """Events of these accounts come in again."""
    for account_id in accounts:
        use(account_id, *(at - timedelta(minutes=minutes) for minutes in (200, 199, 190)))


@pytest.fixture
def outage(topic):
    """Accounts that were active every day, without any event tonight."""
    for account_id in ACCOUNTS:
        account(account_id, *[THRIVING] * 8)
    return topic


def test_night__tracking_outage__is_alerted_once_and_holds_the_rest(outage):
    result = run(outage, TONIGHT)
    assert result["holding"] is True
    assert sorted(outage.kinds()) == ["digest", "fleet_silent"]
    assert statuses() == {"held": 12}
    assert outage.published[0]["Subject"] == "[high] Most accounts fell silent at once: 0 active instead of 12"
    assert "Those of accounts that are out of sight are held" in outage.alerts()[-1].why


def test_sweep__after_an_outage__sends_nothing_held(outage):
    run(outage, TONIGHT)
    before = outage.ids()
    sweep(outage, TONIGHT + timedelta(hours=5))
    assert outage.ids() == before
    assert statuses() == {"held": 12}


def test_night__outage_goes_on__holds_on_and_is_not_alerted_again(outage):
    run(outage, TONIGHT)
    assert run(outage, TOMORROW)["holding"] is True
    assert outage.kinds().count("fleet_silent") == 1
    assert statuses()["held"] >= 12


def test_night__outage_is_over__withdraws_held_alerts_except_of_accounts_still_unseen(outage):
    run(outage, TONIGHT)
    back(ACCOUNTS[1:], TOMORROW)
    assert run(outage, TOMORROW)["holding"] is False
    alerts = [alert for alert in outage.alerts() if alert.kind not in {"digest", "fleet_silent"}]
    assert {(alert.account_id, alert.day) for alert in alerts} == {("a00", TONIGHT.date())}
    assert statuses() == {"withdrawn": 11, "sent": 1}


def test_night__some_accounts_leave_as_the_others_stay__is_alerted_the_same_night(topic):
    for account_id in ACCOUNTS:
        account(account_id, *[THRIVING] * 8)
    back(ACCOUNTS[2:], TONIGHT)
    assert run(topic, TONIGHT)["holding"] is False
    assert {alert.account_id for alert in topic.alerts() if alert.kind == "band_fell"} >= {"a00", "a01"}
    assert statuses()["held"] == 0


def test_night__account_seen_today__is_alerted_in_spite_of_the_outage(outage):
    """Its tracking works, so its fall is certain."""
    back(ACCOUNTS[:1], TONIGHT)
    assert run(outage, TONIGHT)["holding"] is True
    assert {alert.account_id for alert in outage.alerts()} == {"a00", None}
    assert statuses()["held"] == 11


def test_night__spike_of_made_up_accounts_a_week_ago__holds_no_silence(topic):
    """A stranger with a write key made up sixty accounts; one real customer falls silent tonight."""
    for account_id in ACCOUNTS:
        account(account_id, *[THRIVING] * 29)
    for number in range(60):
        account(f"fake{number}", THRIVING, *[ABSENT] * 6)
    back(ACCOUNTS[1:], TONIGHT)
    assert run(topic, TONIGHT)["holding"] is False
    assert "a00" in {alert.account_id for alert in topic.alerts()}
    assert "fleet_silent" not in topic.kinds()


def test_night__spike_of_made_up_accounts_as_tracking_breaks__hides_no_outage(outage):
    back([f"fake{number}" for number in range(30)], TONIGHT)
    assert run(outage, TONIGHT)["holding"] is True
    assert statuses()["held"] == 12


def test_night__never_finished__its_held_alerts_go_out_after_the_next_usual_one(topic, monkeypatch):
    """Its held alerts are not lost: the next finished night decides."""
    account("gone", *[THRIVING] * 8)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "record_outage", lambda *_, **__: pytest.fail("died here"))
        with pytest.raises(pytest.fail.Exception):
            run(topic, TONIGHT)
    sweep(topic, TONIGHT + timedelta(hours=1))
    assert statuses() == {"held": 1}
    run(topic, TOMORROW)
    assert statuses() == {"sent": 1}


def test_night__killed_after_the_outage_check__is_finished_by_the_sweep(topic, monkeypatch):
    account("gone", *[THRIVING] * 8)
    with monkeypatch.context() as patch:
        patch.setattr("healthscore.services.nightly.finish.messages.let_go", lambda *_: pytest.fail("died here"))
        with pytest.raises(pytest.fail.Exception):
            run(topic, TONIGHT)
    sweep(topic, TONIGHT + timedelta(hours=1))
    assert statuses() == {"sent": 1}
