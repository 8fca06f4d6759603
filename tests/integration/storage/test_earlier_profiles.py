"""What rules read of an account's profile, kept with its time wherever it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from healthscore.core.model import CrmFacts
from healthscore.core.signals.earlier_profiles import read_by_rules, timeline
from healthscore.core.time import millis
from healthscore.storage.accounts import accounts, earlier_profiles, merging
from healthscore.storage.crm import save_facts
from tests.support.gateway import NOW

if TYPE_CHECKING:
    from healthscore.storage.writes import Write

LATER, LAST = NOW + timedelta(days=1), NOW + timedelta(days=2)


def save(account_id="acme", at=NOW, **profile):
    return accounts.save_profile(account_id, lambda stored: {**stored, **profile}, at)


def lived(account_id="acme"):
    """What rules read at each time, by the instant from which on."""
    account = accounts.get(account_id)
    churned = account.crm.churned if account.crm else None
    now = read_by_rules(account.profile, churned=churned)
    return dict(timeline(now, earlier_profiles.read_text(account.earlier_profiles)))


def test_profile__of_a_new_account__has_held_for_ever(tables):
    save(champions=["ann"], usage_channel="both")
    assert lived() == {0: {"h": ["ann"], "u": "both"}}


def test_profile__that_changes__keeps_what_held_before(tables):
    save(champions=["ann"], name="Acme")
    save(at=LATER, champions=["ben"], expected_cadence_days=90)
    save(at=LAST, name="Acme Corp")
    assert lived() == {0: {"h": ["ann"]}, millis(LATER): {"h": ["ben"], "c": 90}}


def test_traits__that_say_since_when_it_is_a_customer__are_a_change(tables):
    save(name="Acme")
    accounts.save_traits("acme", {"created_at": "2026-01-01"}, millis(LATER), LATER)
    assert lived() == {0: {}, millis(LATER): {"b": "2026-01-01"}}


def test_crm_facts__that_say_the_customer_has_left__are_a_change_and_others_are_none(tables):
    save(champions=["ann"])
    accounts.save_crm("acme", CrmFacts(received_at=NOW, open_tickets=2, churned=False))
    accounts.save_crm("acme", CrmFacts(received_at=LATER, churned=True))
    assert lived() == {0: {"h": ["ann"]}, millis(LATER): {"h": ["ann"], "x": True}}
    account = accounts.get("acme")
    assert save_facts.save(account, CrmFacts(received_at=LAST, churned=None), None)
    assert lived()[millis(LAST)] == {"h": ["ann"]}
    assert not save_facts.save(account, CrmFacts(received_at=LAST, churned=True), None)


@pytest.mark.parametrize("rival", ["profile", "crm"])
def test_change__that_another_writer_overtakes__loses_no_change(tables, monkeypatch, rival):
    save(champions=["ann"])
    original, overtaken = accounts.update_account, []

    def update(*arguments, **options) -> Write:
        write = original(*arguments, **options)
        if not overtaken:
            overtaken.append(True)
            if rival == "profile":
                save(at=LATER, champions=["ben"])
            else:
                accounts.save_crm("acme", CrmFacts(received_at=LATER, churned=True))
        return write

    monkeypatch.setattr(accounts, "update_account", update)
    save(at=LAST, expected_cadence_days=90)
    between = {"h": ["ben"]} if rival == "profile" else {"h": ["ann"], "x": True}
    assert lived() == {0: {"h": ["ann"]}, millis(LATER): between, millis(LAST): {**between, "c": 90}}


def test_facts__saved_while_a_profile_changes__are_saved_by_who_reads_again(tables):
    account = save(champions=["ann"])
    save(at=LATER, champions=["ben"])
    facts = CrmFacts(received_at=LAST, churned=True)
    assert not save_facts.save(account, facts, None)
    assert save_facts.save(accounts.get("acme"), facts, None)
    assert list(lived()) == [0, millis(LATER), millis(LAST)]


def test_erased_champion__is_named_at_no_time(tables):
    save(champions=["ann", "eve"])
    save(at=LATER, champions=["eve"])
    save(at=LAST, champions=["ben"])
    assert accounts.erase_champions("acme", {"eve"})
    assert lived() == {0: {"h": ["ann"]}, millis(LATER): {}, millis(LAST): {"h": ["ben"]}}
    assert not accounts.erase_champions("acme", {"eve"})
    assert not accounts.erase_champions("nobody", {"eve"})


def test_erased_champion__of_a_change_that_is_under_way__does_not_come_back(tables, monkeypatch):
    save(champions=["eve"])
    original, erased = accounts.update_account, []

    def update(*arguments, **options) -> Write:
        write = original(*arguments, **options)
        if not erased:
            erased.append(True)
            assert accounts.erase_champions("acme", {"eve"})
        return write

    monkeypatch.setattr(accounts, "update_account", update)
    save(at=LATER, champions=["ben"])
    assert "eve" not in repr(accounts.get("acme"))


def test_merged_account__fills_what_was_not_known_at_each_time(tables):
    save("old", champions=["ann"])
    save("old", LATER, expected_cadence_days=90, champions=["ben"])
    accounts.save_crm("old", CrmFacts(received_at=LATER, churned=True))
    save("new", usage_channel="both")
    accounts.save_crm("new", CrmFacts(received_at=NOW, churned=False))
    save("new", LAST, champions=["eve"])
    merging.begin("old", "new", ())
    assert lived("new") == {
        0: {"u": "both", "h": ["ann"]},
        millis(LATER): {"u": "both", "h": ["ben"], "c": 90},
        millis(LAST): {"u": "both", "h": ["eve"], "c": 90},
    }


def test_item_of_an_earlier_version__has_held_for_ever_until_it_changes(tables):
    account = save(champions=["ann"])
    assert account.earlier_profiles is None
    assert replace(account, earlier_profiles=None) == accounts.get("acme")
