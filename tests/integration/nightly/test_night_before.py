"""Which snapshot a night compares with: the one in the account's item, or else the newest in the history."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

from healthscore.core.model import CrmFacts
from healthscore.services import alerting, rescoring
from healthscore.services.nightly import account as night_account
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.settings import Settings
from healthscore.storage import schema
from healthscore.storage.accounts import accounts, history
from healthscore.storage.alerts import messages
from healthscore.storage.client import dynamodb
from healthscore.storage.errors import StorageUnavailableError
from tests.integration.nightly.nights import ABSENT, LOGGER, LONG_AGO, NIGHT, THRIVING, TONIGHT, account, night
from tests.integration.nightly.nights import schedule as scheduled
from tests.unit.core.alerts.nights import lived


def test_night__accounts_that_have_last_night__take_two_calls_each_and_three_in_all(topic):
    """A night is as fast as it makes few calls."""
    for name in ("acme", "beta"):
        account(name, *[ABSENT] * 4)
    run = plan_run(scheduled(TONIGHT), TONIGHT)
    with _calls() as made:
        process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)
    assert made == [
        ("Query", schema.settings_table()),
        ("Scan", schema.accounts_table()),
        ("BatchWriteItem", schema.history_table()),
        *[("Query", schema.activity_table()), ("UpdateItem", schema.accounts_table())] * 2,
    ]


def test_night__history_takes_no_batch_just_then__keeps_every_snapshot_all_the_same(topic, monkeypatch):
    account("acme", ABSENT)
    before = accounts.get("acme").latest
    with monkeypatch.context() as accident:
        accident.setattr(history, "put_snapshots", _unavailable)
        assert night(topic)["failed"] == 0
    acme = accounts.get("acme")
    assert history.snapshots(acme, before.day, TONIGHT.date()) == [before, acme.latest]


def test_night__score_changed_since_the_batch_was_copied__copies_the_score_that_it_replaces(topic, monkeypatch):
    """A backfill of last night takes its place in the account while the next night scores that."""
    account("acme", ABSENT)
    again = replace(accounts.get("acme").latest, as_of=TONIGHT - timedelta(hours=3), score=7)
    score = night_account._score

    def meanwhile(*of):
        monkeypatch.setattr(night_account, "_score", score)
        accounts.save_score(accounts.get("acme"), again)
        return score(*of)

    monkeypatch.setattr(night_account, "_score", meanwhile)
    night(topic)
    acme = accounts.get("acme")
    assert history.snapshots(acme, again.day, TONIGHT.date()) == [again, acme.latest]


def test_night__alert_that_was_stored_before_the_commit__is_not_stored_again(topic):
    """A worker of an earlier version stores alerts before it saves the score, and may die between."""
    account("acme", THRIVING, THRIVING, THRIVING)
    found = alerting.alerts(accounts.get("acme"), accounts.get("acme").latest, _tonight("acme"), Settings())
    sent = [replace(messages.Message.of(alert), status=messages.WITHDRAWN) for alert in found]
    assert [messages.add(message) for message in sent] == [True]
    result = night(topic)
    assert (result["failed"], result["alerts"]) == (0, {"band_fell": 1})
    assert accounts.get("acme").latest.day == TONIGHT.date()
    assert topic.kinds() == ["digest"]


def test_night__scored_by_day_before_the_interrupted_night_came_to_it__keeps_that_score(topic):
    """A night that is made up does not make an account older, and alerts what has not been alerted."""
    account("acme", THRIVING, THRIVING, THRIVING)
    by_day = replace(_tonight("acme"), as_of=TONIGHT + timedelta(hours=8))
    accounts.save_score(accounts.get("acme"), by_day)
    result = night(topic)
    latest = accounts.get("acme").latest
    assert latest == replace(by_day, risk=latest.risk)
    assert (result["scored"], topic.kinds()) == (1, ["band_fell", "digest"])


def test_night__of_the_version_before_died_between_its_two_writes__compares_with_the_snapshot_it_kept(topic):
    """An alert that the killed night may have stored is not repeated."""
    last = TONIGHT.date() - NIGHT
    accounts.save_profile("acme", lambda _: {}, LONG_AGO)
    for day in (last - timedelta(days=2), last - timedelta(days=1)):
        accounts.save_score(accounts.get("acme"), lived(day, **THRIVING))
    history.put_snapshots({"acme": lived(last, **ABSENT)})
    result = night(topic)
    assert result["bands_before"] == {"healthy": 0, "at_risk": 0, "critical": 1}
    assert "band_fell" not in result["alerts"]


def test_night__after_a_change_by_day__does_not_alert_it_again(topic):
    """A CRM's change is alerted at once, and the next night compares with that score."""
    account("acme", THRIVING, THRIVING)
    accounts.save_score(accounts.get("acme"), lived(TONIGHT.date(), **THRIVING))
    later = TONIGHT + timedelta(hours=8)
    facts = CrmFacts(later, open_tickets=0)
    scored, _ = rescoring.rescore(accounts.get("acme"), facts, later, Settings(), alerting=True)
    night(topic, scheduled(TONIGHT + NIGHT), now=TONIGHT + NIGHT)
    assert topic.kinds().count("band_fell") == 1
    assert history.snapshots(accounts.get("acme"), scored.day, scored.day) == [scored]


def test_readers__at_any_instant_of_a_night__miss_no_night(topic):
    """Whoever reads the account and then its history has every night, whichever of a night's writes are done."""
    account("acme", *[ABSENT] * 3)
    before = history.snapshots(accounts.get("acme"), date.min, date.max)
    seen = []

    def read(**_):
        seen.append([one.day for one in history.snapshots(accounts.get("acme"), date.min, date.max)])

    events = dynamodb().meta.events
    for operation in ("BatchWriteItem", "UpdateItem"):
        events.register(f"after-call.dynamodb.{operation}", read)
        events.register(f"before-call.dynamodb.{operation}", read)
    try:
        night_of(TONIGHT)
    finally:
        for operation in ("BatchWriteItem", "UpdateItem"):
            events.unregister(f"after-call.dynamodb.{operation}", read)
            events.unregister(f"before-call.dynamodb.{operation}", read)
    days = [one.day for one in before]
    assert seen == [days, days, days, [*days, TONIGHT.date()]]


def night_of(at):
    process_scan_part(plan_run(scheduled(at), at), 0, 1, keep_going=lambda: True, logger=LOGGER)


def _tonight(account_id):
    return night_account._score(accounts.get(account_id), plan_run(scheduled(TONIGHT), TONIGHT))


def _unavailable(_snapshots):
    raise StorageUnavailableError("gone for a moment")


@contextmanager
def _calls():
    made = []

    def note(params, model, **_):
        made.append((model.name, params.get("TableName") or next(iter(params["RequestItems"]))))

    dynamodb().meta.events.register("provide-client-params.dynamodb", note)
    try:
        yield made
    finally:
        dynamodb().meta.events.unregister("provide-client-params.dynamodb", note)
