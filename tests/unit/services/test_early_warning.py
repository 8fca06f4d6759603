from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from healthscore.core.account import Account
from healthscore.core.detectors.settings import DetectorSettings, Sensitivity
from healthscore.core.model import CrmFacts
from healthscore.core.signals import day_bits
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.excused import Excused
from healthscore.core.signals.model import Definitions, Profile, UsageChannel
from healthscore.core.signals.settings import EarlyWarningSettings
from healthscore.core.signals.use import NO_USE, Use
from healthscore.services import early_warning
from healthscore.settings import Settings
from healthscore.storage import codec

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = date(2026, 11, 20).toordinal()
CHOSEN = EarlyWarningSettings(("exported",), {"Jira": ("issue",)}, {"reports": ("exported", "shared")})


def account(*, earlier=None, churned=None, **profile) -> Account:
    text = None if earlier is None else codec.dumps(earlier)
    crm = None if churned is None else CrmFacts(received_at=NOW, churned=churned)
    return Account("acme", NOW, profile, crm, {}, None, (), earlier_profiles=text)


def profiles(of: Account, use: Use = NO_USE, zone: str = "UTC"):
    return early_warning.inputs(of, use, Settings(timezone=zone), Excused(), DAY).profiles


def used(*days: int, people=()) -> Use:
    bits = day_bits.bits(days)
    return replace(NO_USE, any_days=bits, people_days=bits, by_hand_days=bits, people=dict.fromkeys(people, bits))


def millis(day: int, hour: int) -> int:
    return int(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp() * 1000)


def test_definitions__of_an_account_without_its_own__are_the_workspaces():
    assert early_warning.definitions(account(), Settings(early_warning=CHOSEN)) == Definitions(
        frozenset({"exported"}), {"Jira": frozenset({"issue"})}, {"reports": frozenset({"exported", "shared"})}
    )


def test_definitions__of_an_account__stand_in_the_place_of_the_settings_of_their_name():
    own = account(signals={"value_events": [], "integrations": {"SAP": ["posted"]}})
    assert early_warning.definitions(own, Settings(early_warning=CHOSEN)) == Definitions(
        frozenset(), {"SAP": frozenset({"posted"})}, {"reports": frozenset({"exported", "shared"})}
    )


def test_detector_settings__chosen__are_those_of_the_workspace():
    assert early_warning.detector_settings(Settings()) == DetectorSettings()
    chosen = EarlyWarningSettings(sensitivity="calm", overdue_irregular=30, signals={"drop": False, "halved": True})
    assert early_warning.detector_settings(Settings(early_warning=chosen)) == DetectorSettings(
        Sensitivity.CALM, frozenset({"drop"}), frozenset({"halved"}), 30
    )


def test_profiles__of_an_account_that_never_changed__are_one_for_ever():
    of = account(
        churned=True,
        champions=["ann"],
        usage_channel="both",
        usage_mode="periodic",
        created_at="2026-11-02",
        owner="Kim",
    )
    assert profiles(of) == (
        (
            0,
            Profile(
                usage_channel=UsageChannel.BOTH,
                periodic=True,
                champions=("ann",),
                created=date(2026, 11, 2).toordinal(),
                churned=True,
                owner="Kim",
            ),
        ),
    )


@pytest.mark.parametrize(("zone", "day"), [("UTC", 18), ("Pacific/Auckland", 19)])
def test_profiles__that_changed__hold_from_the_day_of_the_workspace_on(zone, day):
    of = account(earlier=[[millis(18, 14), {"c": None, "h": ["ben"]}]], champions=["ann"], expected_cadence_days=30)
    before, after = profiles(of, zone=zone)
    assert before == (0, Profile(champions=("ben",)))
    assert after == (
        date(2026, 11, day).toordinal(),
        Profile(champions=("ann",), expected_cadence_days=30),
    )


@pytest.mark.parametrize(
    ("created_at", "first", "expected"),
    [
        ("2026-11-18T23:30:00Z", DAY, date(2026, 11, 18).toordinal()),
        ("2025-11-01", DAY, date(2025, 11, 1).toordinal()),
        ("0001-01-01", DAY, DAY - 400),
        ("0001-01-01", None, None),
        ("2099-01-01", None, date(2099, 1, 1).toordinal()),
    ],
)
def test_profiles__of_a_customer_since_long_ago__begin_not_long_before_the_first_event(created_at, first, expected):
    use = NO_USE if first is None else used(first)
    assert profiles(account(created_at=created_at), use)[0][1].created == expected


def test_inputs__people__are_named_by_their_ids_and_one_who_is_user_and_device_is_one():
    use = replace(
        used(DAY, people=["uann"]),
        people={"uann": day_bits.bits([DAY]), "aann": day_bits.bits([DAY - 1]), "aphone": day_bits.bits([DAY])},
    )
    history = early_warning.inputs(account(champions=["ann"]), use, Settings(), Excused(), DAY).history
    assert history.people == {"ann": (DAY - 1, DAY), "phone": (DAY,)}
    assert [early_warning.person_of(one, use) for one in ("ann", "phone", "eve")] == ["uann", "aphone", "ueve"]


def test_inputs__tickets__are_those_of_finished_weeks():
    use = NO_USE.with_tickets(week_of(DAY) - 2, 3)
    assert early_warning.inputs(account(), use, Settings(), Excused(), DAY).tickets == {
        week_of(DAY) - 2: 3,
        week_of(DAY) - 1: 3,
    }
