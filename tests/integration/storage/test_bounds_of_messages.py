"""What is told and what is set fits into its items: filled with the longest names, it is sent, changed and erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from healthscore.api import fields, schemas
from healthscore.core.alerts.acknowledgement import MAX_SNOOZE
from healthscore.core.alerts.change import Change
from healthscore.core.alerts.model import Alert, AlertKind
from healthscore.core.alerts.render import Subject, render
from healthscore.core.model import Component, Event
from healthscore.core.nightly.digest import digest
from healthscore.core.nightly.run_totals import FAILURES_NAMED, TROUBLES_NAMED, EarlierTrouble, Mover, RunTotals
from healthscore.http.errors import ApiError
from healthscore.services import erasure
from healthscore.services.acknowledgements import acknowledge
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from healthscore.storage import codec, reads, schema, workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import digests, messages
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.runs import runs
from tests.support.traces import mentions
from tests.unit.core.alerts.nights import DRIFTING, FIRST, lived

WIDE = "\U00020000"
"""A letter of four bytes."""
NAME = WIDE * 200
MOST_BYTES = 400 * 1024
LATER = FIRST + timedelta(days=4)
NOW = datetime(2026, 10, 5, 10, tzinfo=UTC)


def account_id(number: int) -> str:
    """An id of the longest, but for its number."""
    return f"{number:03}{WIDE * 97}"


def size(item: dict) -> int:
    texts = sum(len(one.encode()) for value in item.values() for one in value.get("SS", ()))
    return texts + sum(len(name) + codec.size_of(value) for name, value in item.items())


def largest(table: str, prefix: str) -> int:
    return max(size(item) for item in pages(dynamodb().scan, TableName=table) if item["sk"]["S"].startswith(prefix))


def an_alert(of: str) -> Alert:
    """An alert that says as much as one can: a fall with all others merged into it, after a snooze, with long names."""
    milestones = [{"name": f"{number:02}{WIDE * 198}", "at": "2026-09-01T00:00:00Z"} for number in range(50)]
    then, now = lived(FIRST), lived(LATER, **{**DRIFTING, "seen": timedelta(days=9)})
    names = [milestone["name"] for milestone in milestones]
    then.facts[Component.MILESTONES] |= {"reached": milestones, "configured": names}
    now.facts[Component.MILESTONES] |= {"reached": [], "configured": names}
    then.components[Component.MILESTONES] = 100
    now.components[Component.MILESTONES] = 0
    others = [Change(kind, 80, FIRST) for kind in (AlertKind.SCORE_FELL, AlertKind.SILENT, AlertKind.DECLINING)]
    change = replace(Change(AlertKind.BAND_FELL, 80, FIRST), merged=tuple(others))
    return render(change, Subject(of, NAME, NAME), then, now)


def test_alert__of_the_longest_names__is_acknowledged_sent_and_erased(tables):
    acme = account_id(0)
    accounts.save_profile(acme, lambda _: {"name": NAME, "owner": NAME}, NOW)
    accounts.save_score(accounts.get(acme), lived(LATER))
    alert = an_alert(acme)
    assert messages.add(messages.Message.of(alert))
    taken = acknowledge(alert.alert_id, by=NAME, reason=NAME, at=NOW, until=NOW + MAX_SNOOZE)
    assert taken.acknowledgement["reason"] == NAME
    claimed = messages.claim(acme, alert.alert_id, now=NOW, lease=timedelta(minutes=15))
    assert Alert.from_json(claimed.body) == alert
    messages.mark_sent(acme, alert.alert_id, now=NOW)
    assert 5_000 < largest(schema.history_table(), "alert#") < 40_000
    assert erasure.erase_account(acme, NOW, lambda: True)
    assert mentions(acme) == []


def test_night__of_the_longest_names__is_kept_summed_up_sent_and_erased(tables):
    named = [account_id(number) for number in range(50)]
    for one in named:
        accounts.save_profile(one, lambda _: {"name": NAME}, NOW)
    totals = RunTotals(failed=10**6, in_trouble=10**6, scored=10**6)
    for number, one in enumerate(named[:10]):
        totals._add_movers([Mover(one, NAME, FIRST, 50, 50 + (40 if number % 2 else -40))])
    for one in named[10 : 10 + FAILURES_NAMED]:
        totals.add_failure(one, "ProvisionedThroughputExceededException")
    trouble = "silent since 2026-09-01 10:00 UTC, critical since 2026-09-01: 12"
    totals.add_troubles(EarlierTrouble(one, NAME, 12, trouble) for one in named[30 : 30 + TROUBLES_NAMED])
    assert totals.named == {*named}
    runs.put_worker_result("run", 0, 0, totals, NOW + timedelta(days=1))
    [(_, _, read)] = runs.worker_results("run")
    assert read == totals
    runs.save_naming(totals, lambda kept: digests.add(digest(LATER, NOW, kept), kept.named))
    stored = largest(schema.settings_table(), ""), largest(schema.history_table(), "digest#")
    assert 50_000 < stored[0] < 110_000
    assert 20_000 < stored[1] < 60_000
    for one in (named[0], named[15], named[35]):
        assert erasure.erase_account(one, NOW, lambda: True)
        assert mentions(one) == []


def settings_body(most: int) -> dict:
    """Settings of the longest texts, of so many bytes or a little less."""
    body = {
        "milestones": [f"{number:02}{WIDE * 198}" for number in range(50)],
        "identity": {"not_counted": {"names": [], "ids": [], "email_domains": []}, "placeholders": []},
    }
    names = body["identity"]["not_counted"]["names"]
    while len(codec.dumps(Settings().to_json() | body).encode()) < most - 2_000:
        names.append(f"{len(names):03}{WIDE * 197}")
    return body


def test_settings__that_fill_their_room__are_kept_changed_and_gone_by(tables):
    full = schemas.read_settings(settings_body(fields.MAX_SETTINGS_BYTES))
    assert workspace.save_settings(full, NOW).version == 1
    event = Event("e1", "acme", full.milestones[0], NOW - timedelta(hours=1), "ann")
    assert ingest([event], workspace.fix_timezone().settings, NOW).accepted == 1
    assert workspace.save_settings(replace(full, retention_days=100), NOW).version == 2
    current = reads.get(schema.settings_table(), codec.key(schema.SETTINGS_PK, "current"))
    assert 150_000 < size(current) < 170_000
    assert workspace.settings().settings.retention_days == 100


def test_settings__beyond_their_room__are_refused_and_say_what_to_do():
    with pytest.raises(ApiError) as refused:
        schemas.read_settings(settings_body(fields.MAX_SETTINGS_BYTES + 10_000))
    assert (refused.value.status, refused.value.code) == (400, "invalid_request")
    assert "163840 bytes" in str(refused.value.message)
    assert "identity.not_counted" in str(refused.value.message)
