from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.ids import normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme", "acme"),
        (" acme\t\n", "acme"),
        ("\N{NO-BREAK SPACE}acme\N{IDEOGRAPHIC SPACE}", "acme"),
        ("a b", "a b"),
        ("e\u0301", "\u00e9"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("\u212b", "\u00c5"),
        ("", ""),
    ],
)
def test_normalised__spaces_and_parts_of_letters__are_gone(text, expected):
    assert normalised(text) == expected


@given(st.text(max_size=200))
def test_normalised__any_text__is_in_its_final_form(text):
    once = normalised(text)
    assert normalised(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_normalised__text_too_long_for_an_id__costs_no_time():
    text = "a" + "\u0301\u0316" * 500_000
    assert normalised(text) == text
