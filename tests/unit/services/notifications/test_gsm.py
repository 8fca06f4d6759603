from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.services.notifications.gsm import GSM_BEYOND_ASCII, cut, one_line, to_ascii, to_gsm

GSM = {*string.printable, *GSM_BEYOND_ASCII} - set("[]{}\\|~^`\x0b\x0c\t\r\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Acme", "Acme"),
        ("Müller & Söhne", "Muller & Sohne"),
        ("Straße", "Strasse"),
        ("Ærø Łódź", "AEro Lodz"),
        ("a → b", "a -> b"),
        ("“so” — ‘said’…", "\"so\" - 'said'..."),  # noqa: RUF001  (typographers' signs are the point)
        ("½ €", "1/2 EUR"),
        ("日本", ""),
        ("a\tb\nc", "a b c"),
        ("🚀", ""),
    ],
)
def test_to_ascii__text__is_written(text, written):
    assert to_ascii(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Müller & Söhne", "Müller & Söhne"),
        ("Mu\u0308ller", "Müller"),
        ("Straße", "Straße"),
        ("[a] {b} c|d ~e \\f `g^", "(a) (b) c/d -e /f 'g"),
        ("Łódź, ça va", "Lodz, ca va"),
        ("5 €", "5 EUR"),
        ("日本", ""),
    ],
)
def test_to_gsm__text__is_written(text, written):
    assert to_gsm(text) == written


@given(st.text())
def test_to_ascii__any_text__is_printable_ascii(text):
    written = to_ascii(text)
    assert written.isascii()
    assert written.isprintable()


@given(st.text())
def test_to_gsm__any_text__has_only_gsm_characters_that_count_once(text):
    assert set(to_gsm(text)) <= GSM


@pytest.mark.parametrize(
    ("text", "characters", "shortened"),
    [
        ("to be cut", 9, "to be cut"),
        ("to be cut", 8, "to be..."),
        ("to be, cut", 9, "to be..."),
        ("unbreakable", 8, "unbre..."),
    ],
)
def test_cut__text__ends_after_a_word(text, characters, shortened):
    assert cut(text, characters) == shortened


@given(st.text(), st.integers(min_value=10, max_value=160))
def test_cut__any_text__is_not_longer_than_asked(text, characters):
    assert len(cut(text, characters)) <= characters


@given(st.text())
def test_one_line__any_text__has_no_break_and_no_space_at_its_ends(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
