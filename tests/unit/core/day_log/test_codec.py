"""The bytes of the event log."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log.codec import COPY, GATE, INTERNAL, MAX_ENTRIES, Entry, entry, pack, unpack
from healthscore.core.model import MICROS
from tests.support.events import DAY, distinct_events, event

ITEM_LIMIT = 400 * 1024
UUID = "7d9f1c52-3a50-4a09-9df4-0c2f3f1a2b3c"
IDS = ["uann", f"u{UUID}", f"a{UUID}", "u!", "uu", f"u!{UUID}", f"u{UUID.upper()}", "avisitor", "aü"]

labelled = st.lists(
    st.builds(
        Entry,
        at=st.integers(0, 86_399_999).map(lambda ms: entry(event("e")).at + ms),
        id=st.integers(0, 2**64 - 1),
        person=st.sampled_from([None, *IDS]),
        session=st.sampled_from([0, 1, 2**64 - 1]),
        name=st.sampled_from(["login", "export"]),
        value=st.sampled_from([MICROS, -5]),
        page=st.sampled_from(["", "Home"]),
        label=st.sampled_from([None, *IDS, *(f"!{id_}" for id_ in IDS)]),
        flags=st.sampled_from([0, COPY, GATE, INTERNAL, COPY | INTERNAL]),
    ),
    max_size=40,
    unique_by=lambda one: one.id,
)


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


@given(labelled, st.randoms())
def test_pack__of_entries_with_labels_and_flags__gives_them_back_whatever_their_order(entries, random):
    shuffled = entries.copy()
    random.shuffle(shuffled)
    assert pack(DAY, shuffled) == pack(DAY, entries)
    assert unpack(DAY, pack(DAY, entries)) == sorted(entries)


def test_pack__of_a_person_with_a_label__says_both_once_and_keeps_uuids_small():
    entries = [entry(event(f"e{i}", i, anonymous_id="v1")) for i in range(40)]
    marked = [one._replace(label=f"!u{UUID}", flags=COPY) for one in entries]
    assert len(pack(DAY, entries)) + 16 < len(pack(DAY, marked)) < len(pack(DAY, entries)) + 40
    assert unpack(DAY, pack(DAY, marked)) == marked


def test_unpack__of_the_first_format__reads_entries_without_labels_and_flags():
    packed = bytes.fromhex(
        "010300010001001b5d5e51f54f0f04fed135082f0eff78f76c4febcbb745d989a147da21bb29547d9f1c523a504a099df40c"
        "2f3f1a2b3c33636060888e56cac94fcfcc53d289562a484c4f8d2fcb4c2d4f4d51d251f2c8cf4d558a8d058a970279896586"
        "4ab13ad54a464a56e6b5b1096eeaac09af181840989189811144320200"
    )
    assert unpack(DAY, packed) == [
        entry(event("e1", 1, name="login", user_id=UUID, session_id="s1")),
        entry(event("e2", 2, anonymous_id="v1", page="Home")),
        entry(event("e3", 3, name="login", value=7)),
    ]


@pytest.mark.parametrize(
    ("label", "flags", "who", "counts"),
    [
        (None, 0, "uann", True),
        (None, COPY, "uann", True),
        ("ubob", 0, "ubob", True),
        ("!ubob", 0, "ubob", False),
        ("!uann", COPY, "uann", False),
        (None, INTERNAL, "uann", False),
        ("ubob", GATE, "ubob", False),
    ],
)
def test_entry__with_a_label_or_flags__says_who_did_it_and_whether_it_counts(label, flags, who, counts):
    one = entry(event("e1", user_id="ann"))._replace(label=label, flags=flags)
    assert (one.who, one.counts) == (who, counts)


def test_entry__of_an_event_that_says_it_is_internal__has_the_flag():
    assert entry(event("e1", internal=True)).flags == INTERNAL
    assert entry(event("e1")).flags == 0


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
