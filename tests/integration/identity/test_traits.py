"""What group and identify calls say of accounts and people, and that an admin is always right."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from healthscore.api.segment_com_traits import account_traits, person_traits
from healthscore.core.identity.calls import Description, ParsedCalls
from healthscore.services.ingestion.identity import Tracker
from healthscore.settings import Settings
from healthscore.storage import schema
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from tests.support.events import MIDNIGHT

pytestmark = pytest.mark.usefixtures("moto")


def record(about="acme", at=1, people=(), **traits):
    described = [] if people else [Description(about, at, account_traits(traits))]
    Tracker(Settings(), MIDNIGHT, lambda: 60.0).record(ParsedCalls(accounts=described, people=list(people)))


def account():
    return accounts.get("acme")


def test_traits__of_an_unknown_account__create_it():
    record(name="Acme", plan="pro", arr=12, industry="logistics", employees=40, tags=["a"])
    assert account().profile == {
        "name": "Acme",
        "plan": "pro",
        "arr": 12,
        "attributes": {"industry": "logistics", "employees": 40},
    }
    assert account().from_traits == ("arr", "attributes.employees", "attributes.industry", "name", "plan")


def test_traits__that_an_admin_has_set__stay_as_set_and_come_back_when_removed():
    accounts.save_profile("acme", lambda _: {"plan": "enterprise", "attributes": {"industry": "x"}}, MIDNIGHT)
    record(name="Acme", plan="pro", industry="logistics")
    assert account().profile == {"name": "Acme", "plan": "enterprise", "attributes": {"industry": "x"}}
    assert account().from_traits == ("name",)
    accounts.save_profile("acme", lambda _: {}, MIDNIGHT + timedelta(days=1))
    assert account().profile == {"name": "Acme", "plan": "pro", "attributes": {"industry": "logistics"}}


def test_traits__of_an_earlier_call_that_comes_later__do_not_count():
    record(at=5, plan="pro")
    record(at=3, plan="free")
    assert account().profile == {"plan": "pro"}
    record(at=7, plan="team")
    assert account().profile == {"plan": "team"}


def test_traits__without_anything_usable__create_nothing():
    record(arr="much", tags=["a"])
    assert account() is None


def test_person__identified__is_kept_with_name_and_address():
    record(
        people=[
            Description("uann", 1, person_traits({"name": "Ann", "email": "ann@example.com", "password": "secret"}))
        ]
    )
    record(people=[Description("uann", 2, person_traits({"name": "Ann Lee"}))])
    key = {"pk": {"S": schema.person_pk("uann")}, "sk": {"S": schema.TRAITS}}
    item = dynamodb().get_item(TableName=schema.activity_table(), Key=key)["Item"]
    assert json.loads(item["t"]["S"]) == {"name": ["Ann Lee", 2], "email": ["ann@example.com", 1]}
