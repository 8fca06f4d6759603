from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.ids import normalised
from healthscore.http.errors import ApiError
from healthscore.http.ids import id_fault
from healthscore.http.paths import decode_id, encode_id

ids = st.text(st.characters(categories=["L", "N", "P", "Sm", "Zs"]), min_size=1, max_size=200).filter(
    lambda text: id_fault(normalised(text), 200) is None
)


@pytest.mark.parametrize(
    ("account_id", "path_part"),
    [
        ("acme", "acme"),
        ("Acme-Corp_1.eu", "Acme-Corp_1.eu"),
        ("a:b@c+d", "a:b@c+d"),
        ("...", "..."),
        ("aws/chalice", "~YXdzL2NoYWxpY2U"),
        (".", "~Lg"),
        ("..", "~Li4"),
        ("~acme", "~fmFjbWU"),
        ("a b", "~YSBi"),
        ("é", "~w6k"),
        ("what?", "~d2hhdD8"),
        ("50%", "~NTAl"),
    ],
)
def test_encode_id__any_id__has_one_way_to_be_written(account_id, path_part):
    assert encode_id(account_id) == path_part
    assert decode_id(path_part) == account_id


@given(ids)
def test_decode_id__what_encode_id_wrote__gives_the_id_back_as_it_is_kept(text):
    path_part = encode_id(text)
    assert re.fullmatch(r"~?[A-Za-z0-9._:@+-]+", path_part)
    assert decode_id(path_part) == normalised(text)


@pytest.mark.parametrize(("path_part", "account_id"), [("~IGFjbWU", "acme"), ("~ZcyB", "é")])
def test_decode_id__of_a_text_that_is_kept_in_another_form__is_the_id_that_events_give(path_part, account_id):
    assert decode_id(path_part) == account_id


@pytest.mark.parametrize(
    "path_part",
    [
        "a b",
        "é",
        ".",
        "..",
        "a%2Fb",
        "what?",
        "~",
        "~YQ==",
        "~YR",
        "~YWNtZQ",
        "~Y*",
        "~_w",
        "~7aCA",
        "~Y",
        "~AA",
        "\ud800",
    ],
    ids=ascii,
)
def test_decode_id__written_another_way__is_refused_with_how_to_write_it(path_part):
    with pytest.raises(ApiError) as caught:
        decode_id(path_part)
    assert (caught.value.status, caught.value.code) == (400, "invalid_request")
    caught.value.message.encode()


def test_decode_id__id_as_it_is_though_it_needs_writing__is_refused_with_the_right_form():
    with pytest.raises(ApiError) as caught:
        decode_id("Acme Corp")
    assert "~QWNtZSBDb3Jw" in caught.value.message


@given(st.text(st.characters(), max_size=30))
def test_decode_id__any_text__is_read_back_or_refused(path_part):
    try:
        account_id = decode_id(path_part)
    except ApiError as error:
        assert error.code == "invalid_request"  # noqa: PT017  (either outcome is right)
    else:
        assert decode_id(encode_id(account_id)) == account_id
