from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.ids import PLACEHOLDERS, folded, names_nobody, normalised
from healthscore.core.identity.settings import IdentitySettings


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


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t\n", "undefined", "null", "none", "nil", "nan", "anonymous", "guest", "unknown", "n/a"),
        *("0", "-1", "true", "false", "[object Object]", "[object Undefined]"),
        *("NULL", " Undefined ", "None", "NaN", "N/A", "(null)", "<nil>", '"null"', "{}", "[]", "''", "-", "(not set)"),
        *("00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "0" * 32, "000", "0.0"),
        *("0x" + "0" * 40, "\N{NO-BREAK SPACE}null", "user_id"),
    ],
)
def test_names_nobody__text_of_programs_that_have_no_id__does(text):
    assert names_nobody(text)


@pytest.mark.parametrize(
    "text",
    [
        *("acme", "1", "-2", "10", "0a", "100", "u-0", "nullify", "unknown-co", "Object Storage", "guest@example.com"),
        *("00000000-0000-0000-0000-000000000001", "truth", "Nan's Bakery", ".", "..", "~", "na"),
    ],
)
def test_names_nobody__id__does_not(text):
    assert not names_nobody(text)


def test_names_nobody__text_that_the_workspace_adds__does_in_any_case():
    more = IdentitySettings(("Demo", "Zo\u00eb")).folded_placeholders
    assert [names_nobody(text, more) for text in (" DEMO", "zoe\u0308", "demo2")] == [True, True, False]


def test_names_nobody__any_placeholder__is_in_the_form_that_is_compared():
    assert all(folded(text).strip() == text for text in PLACEHOLDERS)
