from __future__ import annotations

import pytest

from healthscore.http.ids import id_fault, name_fault


@pytest.mark.parametrize(
    "text",
    [
        "acme",
        "a",
        "x" * 200,
        "aws/chalice",
        "what?",
        "100%",
        "é",
        "日本",
        "Ann Smith",
        "ann@example.com",
        "~",
        ".",
        "€",
    ],
)
def test_id_fault__visible_text__is_an_id(text):
    assert id_fault(text, 200) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_id"),
        ("a\nb", "invalid_id"),
        ("a\0b", "invalid_id"),
        ("a\x7f", "invalid_id"),
        ("a\N{NO-BREAK SPACE}b", "invalid_id"),
        ("a\N{ZERO WIDTH SPACE}b", "invalid_id"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}acme", "invalid_id"),
        ("\ud800", "invalid_id"),
        ("rocket\N{ROCKET}", "invalid_id"),
        ("\N{WHITE SMILING FACE}", "invalid_id"),
        ("1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}", "invalid_id"),
        ("\N{EMOJI MODIFIER FITZPATRICK TYPE-4}", "invalid_id"),
        ("x" * 201, "too_long"),
    ],
)
def test_id_fault__invisible_pictorial_or_too_long__is_refused(text, code):
    found, sentence = id_fault(text, 200)
    assert found == code
    assert sentence.startswith("must not")


@pytest.mark.parametrize("name", ["login", "Report exported \N{ROCKET}", "Größe geändert", "x" * 200, "a/b?c"])
def test_name_fault__free_text__is_a_name(name):
    assert name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "invalid_name"),
        ("log\tin", "invalid_name"),
        ("log\N{LINE SEPARATOR}in", "invalid_name"),
        ("\ud800", "invalid_name"),
        ("x" * 201, "too_long"),
    ],
)
def test_name_fault__blank_broken_or_too_long__is_refused(name, code):
    assert name_fault(name)[0] == code
