"""A ticket of high priority: from the CRM's signed webhook to one message, through the deployed functions."""

from __future__ import annotations

from healthscore.core.alerts.settings import AlertSettings, TicketOpened
from healthscore.services import rescoring
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import messages
from healthscore.storage.errors import StorageUnavailableError


def test_ticket__opened_at_high_priority__changes_the_score_and_sends_one_alert_at_once(life):
    life.begin()
    before = life.score()
    life.opened()
    assert life.score() == before - 6
    (alert,) = life.topic.published
    assert (alert["kind"], alert["severity"], alert["account_id"]) == ("ticket_opened", "high", "acme")
    assert alert["title"] == "Acme: a high-priority ticket was opened"
    assert {item["what"]: (item["from"], item["to"]) for item in alert["evidence"]} == {
        "Open high-priority tickets": (0, 1),
        "Open tickets": (0, 1),
        "CRM health": (80, 40),
        "Score": (before, before - 6),
    }


def test_ticket__read_again_by_webhooks_sync_and_night__alerts_once(life):
    life.begin(events=40)
    life.night()
    life.clock.sleep(86_400 - 600)
    ticket = life.opened()
    for _ in range(2):
        life.clock.sleep(1)
        life.deliver_and_refresh(ticket)
    life.clock.sleep(4 * 3600)
    assert life.sync()[0]["state"] == "complete"
    life.clock.sleep(25 * 3600)
    life.use(3)
    assert life.sync()[0]["state"] == "complete"
    assert "ticket_opened" not in {kind.value for kind in life.night()}
    assert life.kinds() == ["ticket_opened"]
    assert list(messages.pending()) == []


def test_ticket__opened_while_another_is_open__alerts_only_after_none_was(life):
    life.begin()
    first, second = life.opened(), life.opened()
    life.closed(first)
    life.opened(priority="Low")
    assert life.kinds() == ["ticket_opened"]
    life.closed(second)
    life.opened()
    assert life.kinds() == ["ticket_opened"] * 2
    ids = {alert["alert_id"] for alert in life.topic.published}
    assert len(ids) == 2


def test_ticket__open_when_the_crm_is_connected_or_its_options_change__alerts_nobody(life):
    accounts.save_profile("acme", lambda _stored: {}, life.clock.now())
    life.desk.company("acme")
    old = life.desk.open()
    life.connect()
    life.sync()
    assert life.kinds() == []
    life.closed(old)
    life.opened(priority="Odd")
    life.connect(high_priorities=("Odd",))
    life.sync()
    assert accounts.get("acme").crm.high_priority_open == 1
    assert life.kinds() == []


def test_ticket__open_when_its_company_becomes_an_account__alerts_nobody(life):
    life.desk.company("acme")
    life.desk.open()
    life.connect()
    life.sync()
    accounts.save_profile("acme", lambda _stored: {}, life.clock.now())
    life.clock.sleep(25 * 3600)
    life.sync()
    assert accounts.get("acme").crm.high_priority_open == 1
    assert life.kinds() == []


def test_ticket__rule_switched_off__changes_the_score_and_alerts_nobody(life):
    chosen = Settings(alerts=AlertSettings(ticket_opened=TicketOpened(enabled=False)))
    workspace.save_settings(chosen, life.clock.now())
    life.begin()
    before = life.score()
    life.opened()
    assert life.score() == before - 6
    assert life.kinds() == []


def test_ticket__that_takes_the_account_below_healthy__is_one_message_with_the_band(life):
    life.begin()
    life.night()
    life.clock.sleep(86_400 - 600)
    life.use(3)
    life.night()
    life.desk.lose_deal()
    ticket = life.opened()
    (alert,) = life.topic.published
    assert (alert["kind"], alert["severity"], alert["band"]) == ("band_fell", "high", "at_risk")
    shown = [item["what"] for item in alert["evidence"]]
    assert {"Open high-priority tickets", "Band"} <= set(shown)
    assert alert["why"].startswith("A high-priority ticket was opened. The score went from")
    # The band has alerted that day; a ticket that comes later has an alert of its own.
    life.closed(ticket)
    life.opened()
    assert life.kinds() == ["band_fell", "ticket_opened"]


def test_ticket__function_crashes_after_the_facts_are_saved__alerts_all_the_same(life, monkeypatch):
    life.begin()

    def gone(*_: object, **__: object) -> None:
        raise StorageUnavailableError("gone")

    life.night()
    life.clock.sleep(600)
    ticket = life.desk.open()
    with monkeypatch.context() as accident:
        accident.setattr(rescoring.accounts, "save_score", gone)
        assert len(life.deliver_and_refresh(ticket)) == 1
    assert life.kinds() == []
    assert [account_id for account_id, _ in messages.pending()] == ["acme"]
    # Sent with whatever goes out next, and by the schedule at the latest.
    life.closed(ticket)
    life.opened()
    assert life.kinds() == ["ticket_opened"] * 2
