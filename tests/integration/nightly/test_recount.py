"""A change of the setting of users who do not count holds for the past as well, from the next night on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.identity.calls import Alias, Description, GroupCall, Identification
from healthscore.core.identity.counting import NotCounted
from healthscore.core.identity.settings import IdentitySettings
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.services.scoring import gather_facts
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from tests.integration.identity.calls import NOW, START, record, tracked

pytestmark = pytest.mark.usefixtures("moto")

LOGGER = Logger(service="test", level="CRITICAL")
EVERYBODY = NotCounted()


def not_counted(**listed) -> NotCounted:
    return NotCounted(**{name: tuple(texts) for name, texts in listed.items()})


def night(setting: NotCounted, number: int, *, keep_going=lambda: True):
    settings = replace(Settings(), identity=IdentitySettings(not_counted=setting))
    workspace.save_settings(settings, NOW)
    at = NOW + timedelta(days=number)
    return process_scan_part(plan_run({}, at), 0, 1, keep_going=keep_going, logger=LOGGER).totals


def figures(account_id: str = "acme") -> tuple[int, int, list[str]]:
    """Events that count, those that do not, and the names that were seen."""
    account = accounts.get(account_id)
    facts = gather_facts(account, NOW, workspace.settings().settings, consistent=True)
    return facts.events, facts.not_counted, sorted(account.first_seen)


@pytest.fixture(autouse=True)
def people(moto):
    """Ann is a customer. Kim is staff: signed in under two ids, visiting from a device, and seen in a named account."""
    record(
        GroupCall("uann", START, "acme"),
        GroupCall("ukim", START, "acme"),
        Identification("aphone", START, "ukim"),
        Alias("ukim.old", START, "ukim"),
    )
    record(
        tracked("e1", "uann", 1),
        tracked("e2", "ukim", 2),
        tracked("e3", "aphone", 3),
        tracked("e4", "ukim.old", 4),
        tracked("e5", "aphone", 5, "acme"),
        tracked("e6", "ubot", 6, "acme"),
    )
    record_traits("ukim", {"email": "Kim@support.Vendor.example", "name": "Kim (Support)"})


def record_traits(user: str, said: dict) -> None:
    record(Description(user, START, said))


ANN_AND_BOT, ALL = (2, 4), (6, 0)
SETTINGS = [
    not_counted(ids=["kim"]),
    not_counted(ids=["kim.old"]),
    not_counted(email_domains=["vendor.example"]),
    not_counted(names=["*(support)"]),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.to_json()))
def test_night__after_the_setting_changed__takes_the_person_out_of_the_past_under_every_id(setting):
    assert figures()[:2] == ALL
    night(setting, 0)
    assert figures()[:2] == ANN_AND_BOT
    tomorrow = (tracked("e7", "ukim", 60 * 24 + 1), tracked("e8", "uann", 60 * 24 + 2))
    record(*tomorrow, settings=workspace.settings().settings)
    assert figures()[:2] == (3, 5)
    night(EVERYBODY, 1)
    assert figures()[:2] == (8, 0)


def test_night__with_an_id_of_whom_no_call_ever_spoke__takes_it_out_as_well():
    night(not_counted(ids=["bot"]), 0)
    assert figures()[:2] == (5, 1)


def test_night__that_runs_out_of_time__counts_as_before_and_the_next_one_goes_on():
    setting = not_counted(ids=["kim"])
    answers = iter([True, True, True])
    night(setting, 0, keep_going=lambda: next(answers, False))
    night(setting, 1)
    assert figures()[:2] == ANN_AND_BOT


def test_night__setting_as_before__settles_nobody(monkeypatch):
    setting = not_counted(ids=["kim"])
    night(setting, 0)
    monkeypatch.setattr("healthscore.services.nightly.recount.settle.settle", None)
    assert night(not_counted(ids=["kim"]), 1).failed == 0


def test_trait_internal__takes_the_person_out_at_once_and_back_again():
    record_traits("ukim.old", {"internal": True})
    assert figures()[:2] == ANN_AND_BOT
    record(Description("ukim", START + 1, {"internal": False}))
    assert figures()[:2] == ALL


def test_names__that_only_staff_sent__are_seen_no_more():
    assert figures()[2]
    night(not_counted(ids=["kim", "ann", "bot"]), 0)
    assert figures() == (0, 6, [])
