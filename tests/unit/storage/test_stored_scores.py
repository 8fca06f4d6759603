"""Nightly scores as items hold them: small, and the same again when they are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.documents import daily_to_json, snapshot_to_json
from healthscore.core.health import assess, snapshot
from healthscore.core.model import Component, CrmFacts, DailyScore, Facts, Milestone
from healthscore.storage import codec
from healthscore.storage.accounts import stored_scores

NOW = datetime(2026, 11, 21, 2, 3, 4, 567_000, tzinfo=UTC)
NAMES = ("account_created", "first_feature_used", "integration_connected")
PACKED = (
    "01cdd5410e03210805d01395f041443cc7dcff2c6566d366347626eda2894bfd2602cf1122cc20c20191762e64d5df3072fb"
    "061a29d79ca91f9909dc514664a54c90ae9151b293313e12e33e11a6d54288f83d3178c036f62eadb39168bdc54c764a6c90"
    "6eba9f0eb6bbd464806e683d1757322f7fc20d38cbd901526e233775e0c6aca892585c10e79c7d411d99ab83953ac8cae435"
    "966f4b5c62254f6ecd1935e45c91c7077d26b9b70442db3b46bc2bc81473855ea44c15f2e3c34d869e"
)
PACKED_RECENT = "0163e0f64a65e0f2f6494991904c01021b1700"

daily_scores = st.dictionaries(
    st.dates(date(1970, 1, 1), date(2100, 1, 1)),
    st.builds(
        DailyScore,
        day=st.just(NOW.date()),
        score=st.integers(0, 100),
        components=st.dictionaries(st.sampled_from(Component), st.integers(0, 100)),
    ),
    min_size=1,
    max_size=30,
)


def lived(number: int, *, crm: bool = True):
    """The snapshot of an account that has lived, with CRM facts; each number gives another one."""
    ago = timedelta(seconds=number * 7919, milliseconds=number * 37 % 1000)
    facts = CrmFacts(
        received_at=NOW - ago,
        provider="hubspot",
        open_tickets=number % 5,
        high_priority_open=number % 2,
        last_meeting_at=NOW - 2 * ago,
        last_email_at=NOW - 3 * ago,
        last_contact_at=NOW - 2 * ago,
        active_deal=True,
        deal_updated_at=NOW - 4 * ago,
        renewal_date=NOW.date() + ago,
        churned=False,
        arr=1000.0 * number,
    )
    of = Facts(
        as_of=NOW,
        as_of_day=NOW.date(),
        events=number * 13,
        sessions=number * 3 + 1,
        session_events=number * 11,
        session_ms=number * 123_457,
        days_active=number % 30,
        last_seen_at=NOW - ago,
        milestones=tuple(Milestone(name, NOW - at * 9 * ago) for at, name in enumerate(NAMES, start=1)),
        configured_milestones=NAMES,
        crm=facts if crm else None,
    )
    return snapshot(assess("acme", of, (), None))


@pytest.mark.parametrize(("crm", "most"), [(True, 250), (False, 180)])
def test_snapshot__of_an_account_that_has_lived__takes_a_quarter_of_its_text(crm, most):
    for number in range(1, 60):
        stored = stored_scores.snapshot_attribute(lived(number, crm=crm))
        assert stored_scores.snapshot_of(stored) == lived(number, crm=crm)
        assert len(stored["B"]) <= most, number


@given(daily_scores)
def test_recent__any_nights__are_the_same_again(found):
    nights = tuple(replace(found[day], day=day) for day in sorted(found))
    assert stored_scores.recent_of({"recent": stored_scores.recent_attribute(nights)}) == nights


def test_recent__thirty_nights__take_a_tenth_of_their_text():
    nights = [replace(lived(number).daily, day=NOW.date() + timedelta(days=number)) for number in range(1, 31)]
    assert len(codec.dumps([daily_to_json(night) for night in nights])) > 1000
    assert len(stored_scores.recent_attribute(nights)["B"]) <= 200


def test_scores__stored_as_text_by_an_earlier_version__are_read():
    one = lived(7)
    nights = [one.daily, replace(one.daily, day=one.day + timedelta(days=1))]
    text = codec.json_text([daily_to_json(night) for night in nights])
    assert stored_scores.recent_of({"recent": text}) == tuple(nights)
    assert stored_scores.snapshot_of(codec.json_text(snapshot_to_json(one))) == one
    assert stored_scores.recent_of({}) == ()


def test_scores__packed_by_this_version__are_read_by_every_later_one():
    """What is stored stays as it is: a changed dictionary or order of columns would make it unreadable."""
    packed = bytes.fromhex(PACKED)
    assert stored_scores.snapshot_of({"B": packed}) == lived(7)
    recent = {"recent": {"B": bytes.fromhex(PACKED_RECENT)}}
    assert stored_scores.recent_of(recent) == (lived(7).daily, replace(lived(8).daily, day=date(2026, 12, 1)))


@pytest.mark.parametrize("data", [b"", b"\x02abc", b"\x01", b"\x01abc"])
def test_scores__that_are_not_what_this_version_writes__raise_value_error(data):
    with pytest.raises(ValueError, match=r".+"):
        stored_scores.snapshot_of({"B": data})
    with pytest.raises(ValueError, match=r".+"):
        stored_scores.recent_of({"recent": {"B": data}})


def test_version__of_scores__differs_where_the_snapshot_or_the_nights_do():
    one, other = lived(7), lived(8)
    versions = {
        stored_scores.attributes(newest, recent)["scored"]["S"]
        for newest in (one, replace(one, as_of=other.as_of + timedelta(hours=1)), other)
        for recent in ([one.daily], [one.daily, replace(one.daily, day=date(2026, 12, 1))])
    }
    assert len(versions) == 6
