"""Accounts, history and the workspace's settings on the real tables, on moto and on DynamoDB Local."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from healthscore.core.account import Account
from healthscore.core.model import Band, Component, CrmFacts, Snapshot
from healthscore.core.time import DAY as ONE_DAY
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, history
from healthscore.storage.alerts import messages
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import AccountErasedError, ConditionFailedError, TimezoneFixedError
from healthscore.storage.runs import runs
from tests.support.events import DAY, MIDNIGHT

LEASE = timedelta(minutes=15)


def snapshot(day=DAY, score=70, **fields) -> Snapshot:
    components = {Component.ACTIVITY: score, Component.RECENCY: 100}
    as_of = MIDNIGHT + (day - DAY)
    facts = {Component.ACTIVITY: {"events": score}, Component.RECENCY: {}}
    return replace(Snapshot(day, as_of, score, Band.HEALTHY, components, facts), **fields)


def crm(minutes=0, **fields) -> CrmFacts:
    return CrmFacts(received_at=MIDNIGHT + timedelta(minutes=minutes), **fields)


def test_save_profile__of_an_unknown_account__creates_it(tables):
    saved = accounts.save_profile("a/b?c", lambda profile: {**profile, "name": "Acme", "owner": "ann"}, MIDNIGHT)
    assert saved.since == MIDNIGHT
    assert accounts.get("a/b?c") == saved
    assert saved.profile == {"name": "Acme", "owner": "ann"}
    assert accounts.get("nobody") is None


def test_save_profile__by_many_at_once__keeps_every_change(tables):
    def add(i):
        accounts.save_profile("acme", lambda profile: {**profile, f"field{i}": i}, MIDNIGHT)

    add(0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(1, 9)))
    assert accounts.get("acme").profile == {f"field{i}": i for i in range(9)}


def test_save_crm__twice__answers_the_newer_and_keeps_the_older_for_the_past(tables):
    accounts.save_crm("acme", crm(0, open_tickets=1))
    saved = accounts.save_crm("acme", crm(10, open_tickets=0, high_priority_open=0))
    assert saved.crm.open_tickets == 0
    assert history.crm_as_of("acme", MIDNIGHT + timedelta(minutes=9)).open_tickets == 1
    assert history.crm_as_of("acme", MIDNIGHT + timedelta(minutes=10)).open_tickets == 0
    assert history.crm_as_of("acme", MIDNIGHT - timedelta(minutes=1)) is None


def test_save_score__night_after_night__keeps_the_newest_thirty(tables):
    accounts.save_profile("acme", lambda profile: profile, MIDNIGHT)
    for back in range(34, -1, -1):
        accounts.save_score(accounts.get("acme"), snapshot(DAY - back * ONE_DAY, score=back))
    account = accounts.get("acme")
    assert [daily.score for daily in account.recent] == list(range(29, -1, -1))
    assert account.latest == snapshot(DAY, score=0)


def test_save_score__of_an_earlier_night__does_not_become_the_latest(tables):
    accounts.save_profile("acme", lambda profile: profile, MIDNIGHT)
    accounts.save_score(accounts.get("acme"), snapshot(DAY, score=80))
    accounts.save_score(accounts.get("acme"), snapshot(DAY - ONE_DAY, score=50))
    account = accounts.get("acme")
    assert account.latest.score == 80
    assert [daily.score for daily in account.recent] == [50, 80]


def test_save_score__by_an_account_read_before_another_night_was_saved__keeps_both(tables):
    accounts.save_profile("acme", lambda profile: profile, MIDNIGHT)
    stale = accounts.get("acme")
    accounts.save_score(stale, snapshot(DAY, score=80))
    accounts.save_score(stale, snapshot(DAY - ONE_DAY, score=50))
    assert [daily.score for daily in accounts.get("acme").recent] == [50, 80]


def test_save_score__of_an_account_deleted_meanwhile__does_not_make_it_again(tables):
    ghost = Account("ghost", MIDNIGHT, {}, None, {}, None, ())
    with pytest.raises(AccountErasedError):
        accounts.save_score(ghost, snapshot())
    assert accounts.get("ghost") is None


def test_scan__in_parts__gives_every_account_once(tables):
    for i in range(40):
        accounts.save_profile(f"a{i}", lambda profile: profile, MIDNIGHT)
    found = [account.account_id for scan_part in range(3) for account in accounts.scan(scan_part, 3)]
    assert sorted(found) == sorted(f"a{i}" for i in range(40))


def test_commit_score__of_the_next_night__copies_the_one_before_into_the_history(tables):
    accounts.save_profile("acme", lambda profile: profile, MIDNIGHT)
    before = accounts.get("acme")
    accounts.commit_score(before, snapshot(DAY - ONE_DAY, score=50))
    assert [kept.score for kept in history.snapshots(before, DAY - ONE_DAY, DAY)] == []
    accounts.commit_score(accounts.get("acme"), snapshot(DAY, score=80))
    assert [kept.score for kept in history.snapshots(before, DAY - ONE_DAY, DAY)] == [50]
    assert [kept.score for kept in history.snapshots(accounts.get("acme"), DAY - ONE_DAY, DAY)] == [50, 80]


def test_commit_score__by_an_account_read_before_a_score_of_equal_parts__fails(tables):
    """The last nights are the same then, and the newest snapshot is not."""
    accounts.save_profile("acme", lambda profile: profile, MIDNIGHT)
    accounts.save_score(accounts.get("acme"), snapshot(DAY - ONE_DAY))
    read = accounts.get("acme")
    later = replace(snapshot(DAY - ONE_DAY), as_of=MIDNIGHT)
    accounts.save_score(read, later)
    with pytest.raises(ConditionFailedError):
        accounts.commit_score(read, snapshot(DAY))
    assert accounts.get("acme").latest == later


def test_save_score__of_an_account_that_has_begun_again_meanwhile__leaves_it_alone(tables):
    accounts.save_profile("acme", lambda profile: profile, MIDNIGHT)
    accounts.save_score(accounts.get("acme"), snapshot(DAY - ONE_DAY))
    read = accounts.get("acme")
    erasing.mark("acme", MIDNIGHT)
    assert erasing.erase("acme", MIDNIGHT, lambda: True)[1]
    accounts.save_profile("acme", lambda profile: profile, MIDNIGHT + ONE_DAY)
    with pytest.raises(AccountErasedError):
        accounts.save_score(read, snapshot(DAY))
    assert accounts.get("acme").latest is None


def test_snapshots__of_a_range__come_oldest_first_and_only_of_the_account(tables):
    for name, ages in (("acme", (5, 3, 1)), ("acme2", (2, 0))):
        accounts.save_profile(name, lambda profile: profile, MIDNIGHT)
        for back in ages:
            accounts.save_score(accounts.get(name), snapshot(DAY - back * ONE_DAY))
    acme = accounts.get("acme")
    kept = history.snapshots(acme, DAY - 4 * ONE_DAY, DAY)
    assert [one.day for one in kept] == [DAY - 3 * ONE_DAY, DAY - ONE_DAY]
    assert history.snapshot_before(acme, DAY).day == DAY - ONE_DAY
    assert history.snapshot_before(acme, DAY - 3 * ONE_DAY).day == DAY - 5 * ONE_DAY
    assert history.snapshot_before(acme, DAY - 5 * ONE_DAY) is None


def message(message_id="m1", account_id="acme") -> messages.Message:
    return messages.Message(account_id, message_id, MIDNIGHT, {"title": "größer", "day": "2026-11-20"})


def test_message__stored_twice__is_one_and_pending_until_sent(tables):
    assert messages.add(message())
    assert not messages.add(message())
    assert messages.add(message("digest", account_id=None))
    assert set(messages.pending()) == {("acme", "m1"), (None, "digest")}
    assert messages.claim("acme", "m1", now=MIDNIGHT, lease=LEASE).body == {"title": "größer", "day": "2026-11-20"}
    messages.mark_sent("acme", "m1", now=MIDNIGHT)
    assert list(messages.pending()) == [(None, "digest")]
    assert messages.claim("acme", "m1", now=MIDNIGHT + 2 * LEASE, lease=LEASE) is None
    assert not messages.add(message())


def test_claim__while_a_lease_lasts__is_refused_and_afterwards_given(tables):
    messages.add(message())
    assert messages.claim("acme", "m1", now=MIDNIGHT, lease=LEASE)
    assert messages.claim("acme", "m1", now=MIDNIGHT + LEASE - timedelta(milliseconds=1), lease=LEASE) is None
    assert messages.claim("acme", "m1", now=MIDNIGHT + LEASE, lease=LEASE)


def test_release__of_a_claimed_message__frees_it_at_once(tables):
    messages.add(message())
    messages.claim("acme", "m1", now=MIDNIGHT, lease=LEASE)
    messages.release("acme", "m1")
    assert messages.claim("acme", "m1", now=MIDNIGHT, lease=LEASE)


def test_claim__by_two_at_once__is_given_to_one(tables):
    messages.add(message())
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: messages.claim("acme", "m1", now=MIDNIGHT, lease=LEASE), range(8)))
    assert sum(claim is not None for claim in claims) == 1


def test_settings__never_saved__are_the_defaults(tables):
    assert workspace.settings() == workspace.StoredSettings(0, Settings(), timezone_fixed=False)


def test_save_settings__counts_versions_and_the_same_again_is_none(tables):
    wanted = replace(Settings(), retention_days=30, milestones=("paid",))
    assert workspace.save_settings(wanted, MIDNIGHT).version == 1
    assert workspace.save_settings(wanted, MIDNIGHT).version == 1
    assert workspace.save_settings(Settings(), MIDNIGHT).version == 2
    assert workspace.settings().settings == Settings()


def test_timezone__once_fixed__cannot_change_but_the_rest_can(tables):
    berlin = replace(Settings(), timezone="Europe/Berlin")
    workspace.save_settings(berlin, MIDNIGHT)
    assert workspace.fix_timezone().settings.timezone == "Europe/Berlin"
    assert workspace.fix_timezone().timezone_fixed
    with pytest.raises(TimezoneFixedError):
        workspace.save_settings(Settings(), MIDNIGHT)
    saved = workspace.save_settings(replace(berlin, retention_days=10), MIDNIGHT)
    assert (saved.version, saved.settings.retention_days) == (2, 10)


def test_timezone__fixed_before_settings_were_ever_saved__is_the_default_for_good(tables):
    workspace.fix_timezone()
    with pytest.raises(TimezoneFixedError):
        workspace.save_settings(replace(Settings(), timezone="Asia/Tokyo"), MIDNIGHT)
    assert workspace.save_settings(replace(Settings(), retention_days=5), MIDNIGHT).version == 1


def test_keys__added_found_listed_and_revoked(tables):
    key = workspace.ApiKey("ab" * 32, "read", "dashboard", MIDNIGHT, "wxyz")
    workspace.add_key(key)
    assert workspace.find_key(key.hash) == key
    assert workspace.api_keys() == [key]
    workspace.revoke_key(key.hash)
    assert workspace.find_key(key.hash) is None


def test_start_run__of_the_same_day_again__keeps_the_first_instant(tables):
    assert runs.start_run(DAY, MIDNIGHT) == MIDNIGHT
    assert runs.start_run(DAY, MIDNIGHT + timedelta(hours=3)) == MIDNIGHT
    runs.finish_run(DAY, {"scored": 3})
    assert runs.start_run(DAY, MIDNIGHT + timedelta(hours=9)) == MIDNIGHT
