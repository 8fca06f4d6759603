"""Who does not count, by the setting."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.counting import EVERYBODY_COUNTS, NotCounted, fits
from healthscore.core.identity.record import IdRecord

KIM = IdRecord(
    "ukim", users=["ukim.old"], described={"ukim.old": {"email": ["kim@x.vendor.example"], "name": ["Kim T"]}}
)
NOBODY = IdRecord("uann")


@pytest.mark.parametrize(
    "setting",
    [
        NotCounted(ids=("kim",)),
        NotCounted(ids=("kim.old",)),
        NotCounted(email_domains=("vendor.example",)),
        NotCounted(email_domains=("@X.Vendor.example",)),
        NotCounted(names=("kim*",)),
    ],
    ids=str,
)
def test_person__listed_in_any_way__does_not_count(setting):
    assert setting.is_of(KIM)
    assert not setting.is_of(NOBODY)


@pytest.mark.parametrize(
    "setting",
    [
        EVERYBODY_COUNTS,
        NotCounted(ids=("ki", "KIM")),
        NotCounted(email_domains=("endor.example", "example.com")),
        NotCounted(names=("kim", "*x*")),
    ],
    ids=str,
)
def test_person__not_listed__counts(setting):
    assert not setting.is_of(KIM)


def test_person__whose_id_is_an_address__is_of_its_domain():
    assert NotCounted(email_domains=("vendor.example",)).is_of(IdRecord("ukim@vendor.example"))


def test_person__marked_by_a_call__does_not_count_whatever_the_setting():
    assert EVERYBODY_COUNTS.is_of(IdRecord("ukim", internal=True))


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_fits__any_pattern__is_what_a_regular_expression_says(pattern, name):
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None
    assert fits(pattern, name) == expected


def test_text__of_the_setting__is_the_same_in_any_order_and_none_where_everybody_counts():
    assert EVERYBODY_COUNTS.text is None
    assert NotCounted(ids=("a", "b")).text == NotCounted(ids=("b", "a")).text != NotCounted(names=("a", "b")).text
