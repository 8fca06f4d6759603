from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.outage import WEEKS, Turnout, outage_alert, presence
from tests.unit.core.alerts.nights import FIRST, instant, snapshot

TONIGHT = FIRST + timedelta(days=28)
WEEK = timedelta(days=7)


patterns = st.lists(st.sampled_from("01"), min_size=WEEKS + 1, max_size=WEEKS + 1).map("".join)
workspaces = st.dictionaries(patterns, st.integers(1, 300))


def is_outage(presences, outages=()):
    return Turnout.of(presences, outages).is_outage


@pytest.mark.parametrize(
    ("presences", "outage"),
    [
        ({"01111": 200}, True),
        ({"01111": 101, "11111": 99}, True),
        ({"01111": 100, "11111": 100}, False),
        ({"01111": 9}, True),
        ({"01111": 8}, False),
        ({"01111": 12, "11111": 4}, True),
        ({"01111": 11, "11111": 5}, False),
        ({"00000": 500}, False),
        ({}, False),
        ({"00110": 90, "10110": 10}, True),
        ({"01000": 100}, True),
        ({"00101": 100, "01010": 100}, False),
        ({"": 5000}, False),
    ],
    ids=[
        "nobody is active: tracking is broken",
        "more than half are missing",
        "half are active",
        "all of nine are missing",
        "eight may all be away by chance",
        "twelve of sixteen are too many for chance",
        "eleven of sixteen are not",
        "a weekday on which nobody ever comes",
        "no night of this weekday was kept",
        "nights before which nothing was tracked are no measure",
        "a workspace in its second week",
        "accounts that come every other week",
        "accounts that have not shown yet what is usual for them",
    ],
)
def test_turnout__night__is_distinguished_from_a_quiet_one(presences, outage):
    assert is_outage(presences) is outage


@pytest.mark.parametrize("weeks", [1, 2, 3, 4])
def test_turnout__spike_of_made_up_accounts_on_one_night__neither_causes_nor_hides_an_outage(weeks):
    """A hundred accounts that were active once, on any night of the last four weeks or tonight."""
    spike = "".join("1" if week == weeks else "0" for week in range(WEEKS + 1))
    as_usual, broken = {"11111": 20, "01111": 1}, {"01111": 21}
    assert not is_outage({**as_usual, spike: 100})
    assert is_outage({**broken, spike: 100})
    assert is_outage({**broken, "10000": 100})


@given(workspaces, st.integers(1, WEEKS), st.integers(1, 10_000), st.booleans())
def test_turnout__any_number_of_accounts_active_in_one_week__changes_nothing(accounts, week, number, tonight):
    """Where the workspace is older than two weeks, of which the others were counted with it before."""
    assume(all(any(pattern[one] == "1" for pattern in accounts) for one in range(1, WEEKS + 1)))
    spike = "".join("1" if one == week else "0" for one in range(1, WEEKS + 1))
    pattern = f"{int(tonight)}{spike}"
    assert Turnout.of({**accounts, pattern: accounts.get(pattern, 0) + number}) == Turnout.of(accounts)


@given(workspaces)
def test_turnout__as_many_as_usual_or_more__is_no_outage(accounts):
    turnout = Turnout.of(accounts)
    assert not Turnout(int(turnout.usually) + 1, turnout.usually).is_outage


def test_turnout__week_of_an_outage__is_left_out():
    """A few accounts slipped through then; without the record of it, the others would look like irregular ones."""
    accounts = {"01010": 40, "01110": 2}
    assert not is_outage({"01010": 40, "01111": 2})
    assert is_outage(accounts | {"01111": 2}, outages=[2, 4])


def test_turnout__nights_without_anybody__are_left_out_of_the_mean():
    assert Turnout.of({"11010": 10, "01110": 1, "00000": 7}) == (10, Fraction(23, 3))


def _night(weeks, hours, days=0):
    day = TONIGHT - weeks * WEEK - timedelta(days=days)
    components = dict(snapshot(100, day).components)
    recency = next(name for name in components if name == "recency")
    return snapshot(80, day, components=components | {recency: 100 if hours < 24 else 80}).daily


def test_presence__nights_after_a_day_with_events__are_given():
    recent = [_night(4, 30), _night(2, 3), _night(1, 23), _night(0, 3, days=3)]
    assert presence(recent, _night(0, 3)) == "11100"
    assert presence(recent, _night(0, 48)) == "01100"


def test_presence__account_active_on_fewer_than_three_nights__is_empty():
    assert (
        presence([_night(2, 3), _night(1, 3), *(_night(0, 30, days=days) for days in range(1, 7))], _night(0, 3)) == ""
    )
    assert presence([], _night(0, 3)) == ""


def test_outage_alert__turnout__says_how_many_are_active_and_how_many_usually_are():
    alert = outage_alert(TONIGHT, instant(TONIGHT), Turnout(3, Fraction(401, 2)))
    assert (alert.kind, alert.account_id, alert.severity) == (AlertKind.FLEET_SILENT, None, "high")
    assert alert.title == "Most accounts fell silent at once: 3 active instead of 200.5"
    assert (alert.evidence[0].before, alert.evidence[0].after) == (200.5, 3)
