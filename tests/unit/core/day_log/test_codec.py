"""The bytes of the event log."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log.codec import MAX_ENTRIES, entry, pack, unpack
from healthscore.core.model import MICROS
from tests.support.events import DAY, distinct_events, event

ITEM_LIMIT = 400 * 1024


@given(distinct_events(max_size=80))
def test_unpack__of_packed_entries__gives_them_back_sorted(events):
    entries = [entry(one) for one in events]
    assert unpack(DAY, pack(DAY, entries)) == sorted(entries)


@given(distinct_events(), st.randoms())
def test_pack__of_the_same_set_in_another_order__is_the_same_bytes(events, random):
    entries = [entry(one) for one in events]
    shuffled = entries.copy()
    random.shuffle(shuffled)
    assert pack(DAY, shuffled) == pack(DAY, entries)


def test_pack__of_the_longest_entries_allowed__fits_an_item():
    widest = "\N{CJK UNIFIED IDEOGRAPH-4E00}"
    entries = [
        entry(
            event(
                f"e{i}",
                i / 100,
                name=f"{i:03d}" + "".join(chr(ord(widest) + (i * 131 + j * 197) % 20_000) for j in range(197)),
                user_id=f"{i:03d}" + "".join(chr(ord(widest) + (i * 151 + j * 211) % 20_000) for j in range(197)),
                session_id=str(i),
                value=10**18 - i,
            )
        )
        for i in range(MAX_ENTRIES)
    ]
    packed = pack(DAY, entries)
    assert unpack(DAY, packed) == sorted(entries)
    assert len(packed) < ITEM_LIMIT - 2_000


def test_pack__of_pages_with_names__takes_more_only_for_these():
    plain = [entry(event(f"e{i}", i)) for i in range(40)]
    named = [entry(event(f"e{i}", i, page="Billing" if i % 2 else None)) for i in range(40)]
    assert unpack(DAY, pack(DAY, named)) == named
    assert {one.page for one in named} == {"", "Billing"}
    assert len(pack(DAY, plain)) < len(pack(DAY, named)) < len(pack(DAY, plain)) + 40


def test_pack__of_more_than_255_people__uses_wider_codes():
    entries = [entry(event(f"e{i}", user_id=str(i))) for i in range(300)]
    assert unpack(DAY, pack(DAY, entries)) == sorted(entries)


def test_pack__of_uuid_people__takes_half_the_room_of_their_text():
    plain = [entry(event(f"e{i}", user_id=str(uuid4()).upper())) for i in range(100)]
    compact = [entry(event(f"e{i}", user_id=str(uuid4()))) for i in range(100)]
    assert unpack(DAY, pack(DAY, compact)) == sorted(compact)
    assert len(pack(DAY, compact)) < len(pack(DAY, plain)) - 300


@pytest.mark.parametrize("offset", [timedelta(hours=-14), timedelta(hours=38), timedelta()])
def test_pack__at_the_ends_of_a_day_of_any_time_zone__keeps_the_time(offset):
    one = entry(event("e1"))._replace(at=entry(event("e1")).at + offset // timedelta(milliseconds=1))
    assert unpack(DAY, pack(DAY, [one])) == [one]


def test_unpack__of_another_format__is_refused():
    data = b"\x07" + pack(DAY, [entry(event("e1"))])[1:]
    with pytest.raises(ValueError, match="format 7"):
        unpack(DAY, data)


def test_entry__of_user_and_anonymous_id__prefers_the_user():
    assert entry(event("e1", user_id="ann", anonymous_id="v1")).person == "uann"
    assert entry(event("e1", anonymous_id="v1")).person == "av1"
    assert entry(event("e1")).person is None


def test_entry__without_a_value__is_worth_one():
    assert entry(event("e1")).value == MICROS
    assert unpack(date(2026, 11, 20), pack(DAY, [entry(event("e1", value=-7))]))[0].value == -7
