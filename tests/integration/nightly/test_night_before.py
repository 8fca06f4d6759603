"""Which snapshot a night compares with: the one in the account's item, or else the newest in the history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthscore.core.model import CrmFacts
from healthscore.services import rescoring
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.settings import Settings
from healthscore.storage import schema
from healthscore.storage.accounts import accounts, history
from healthscore.storage.client import dynamodb
from tests.integration.nightly.nights import ABSENT, LOGGER, LONG_AGO, NIGHT, THRIVING, TONIGHT, Killed, account, night
from tests.integration.nightly.nights import schedule as scheduled
from tests.unit.core.alerts.nights import lived


def test_night__account_that_has_last_night__takes_three_calls(topic):
    """A night is as fast as it makes few calls."""
    account("acme", *[ABSENT] * 4)
    run, made = plan_run(scheduled(TONIGHT), TONIGHT), []

    def note(params, model, **_):
        made.append((model.name, params["TableName"]))

    dynamodb().meta.events.register("provide-client-params.dynamodb", note)
    try:
        process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)
    finally:
        dynamodb().meta.events.unregister("provide-client-params.dynamodb", note)
    assert made == [
        ("Scan", schema.accounts_table()),
        ("Query", schema.activity_table()),
        ("PutItem", schema.history_table()),
        ("UpdateItem", schema.accounts_table()),
    ]


def test_night__last_night_died_before_the_item__compares_with_the_snapshot_it_kept(topic):
    """An alert that the killed night may have stored is not repeated."""
    accounts.save_profile("acme", lambda _: {}, LONG_AGO)
    last = TONIGHT.date() - NIGHT
    for day in (last - timedelta(days=2), last - timedelta(days=1)):
        kept = lived(day, **THRIVING)
        history.put_snapshot("acme", kept, replace=False)
        accounts.save_score(accounts.get("acme"), kept)
    history.put_snapshot("acme", lived(last, **ABSENT), replace=False)
    result = night(topic)
    assert result["bands_before"] == {"healthy": 0, "at_risk": 0, "critical": 1}
    assert "band_fell" not in result["alerts"]


def test_night__after_a_change_by_day_died_between_its_two_writes__does_not_alert_it_again(topic, monkeypatch):
    """A CRM's change is alerted at once, and the next night compares with that score even if a later write failed."""
    account("acme", THRIVING, THRIVING)
    tonight = lived(TONIGHT.date(), **THRIVING)
    history.put_snapshot("acme", tonight, replace=False)
    accounts.save_score(accounts.get("acme"), tonight)
    written = []

    def dying(write):
        def first_or_never(*arguments, **named):
            if written:
                raise Killed
            written.append(write(*arguments, **named))

        return first_or_never

    later = TONIGHT + timedelta(hours=8)
    acme, facts = accounts.get("acme"), CrmFacts(later, open_tickets=0)
    with monkeypatch.context() as accident:
        accident.setattr(history, "put_snapshot", dying(history.put_snapshot))
        accident.setattr(accounts, "save_score", dying(accounts.save_score))
        with pytest.raises(Killed):
            rescoring.rescore(acme, facts, later, Settings(), alerting=True)
    night(topic, scheduled(TONIGHT + NIGHT), now=TONIGHT + NIGHT)
    assert topic.kinds().count("band_fell") == 1
