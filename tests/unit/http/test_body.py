from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.http.body import MAX_BODY_BYTES, MAX_GZIP_MEMBERS, read_json
from healthscore.http.errors import ApiError

LARGEST = b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'


def refusal(body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read_json(body)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": [1, 2.5, null, "\xc3\xa9"]}',
        b'\xef\xbb\xbf{"a": [1, 2.5, null, "\xc3\xa9"]}',
        gzip.compress(b'{"a": [1, 2.5, null, "\xc3\xa9"]}'),
        gzip.compress(b'{"a": [1, 2.5, ') + gzip.compress(b'null, "\xc3\xa9"]}'),
        gzip.compress(b'{"a": [1, 2.5, null, "\xc3\xa9"]}') + b"\0" * 512,
    ],
    ids=["plain", "byte order mark", "gzip", "gzip in two members", "gzip with padding"],
)
def test_read_json__each_way_of_sending__gives_the_value(body):
    assert read_json(body) == {"a": [1, 2.5, None, "é"]}


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists),
    st.integers(1, 5),
)
def test_read_json__gzip_split_into_members__reads_as_if_it_were_one(value, members):
    plain = json.dumps(value).encode()
    size = -(-len(plain) // members)
    parts = [plain[start : start + size] for start in range(0, len(plain), size)]
    assert read_json(b"".join(gzip.compress(part, 1) for part in parts)) == value


def test_read_json__name_twice__the_last_value_counts():
    assert read_json(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b"hello",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1}trailing',
        b"\xff\xfe",
        b'"\xed\xa0\x80"',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        gzip.compress(b'{"a": 1}')[:-5],
        gzip.compress(b'{"a": 1}') + b"trailing",
        gzip.compress(b'{"a": 1}') + gzip.compress(b"2")[:7],
        b"\x1f\x8b",
        b"\x1f\x8b" + b"\0" * 100,
        gzip.compress(b'{"a": 1}')[:-8] + b"\0" * 8,
        gzip.compress(b" ") * MAX_GZIP_MEMBERS + gzip.compress(b"1"),
    ],
    ids=[
        "empty",
        "blank",
        "cut off",
        "no JSON",
        "NaN",
        "Infinity",
        "two values",
        "not UTF-8",
        "surrogate in UTF-8",
        "deep lists",
        "deep objects",
        "gzip cut off",
        "gzip with rubbish behind it",
        "second gzip member cut off",
        "gzip magic alone",
        "gzip header damaged",
        "gzip checksum wrong",
        "too many gzip members",
    ],
)
def test_read_json__no_json__is_invalid_json(body):
    error = refusal(body)
    assert (error.status, error.code) == (400, "invalid_json")


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_read_json__exactly_the_limit__is_read(wrap):
    assert len(read_json(wrap(LARGEST))) == MAX_BODY_BYTES - 2


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_read_json__one_byte_more_than_the_limit__is_too_large(wrap):
    error = refusal(wrap(LARGEST + b" "))
    assert (error.status, error.code) == (413, "body_too_large")


def test_read_json__bomb_spread_over_members__is_too_large():
    assert refusal(gzip.compress(b"0" * (MAX_BODY_BYTES // 2)) * 3).code == "body_too_large"


def test_read_json__integer_of_absurd_length__does_not_condemn_the_rest():
    value = read_json(b'{"huge": ' + b"9" * 5000 + b', "a": 1}')
    assert value == {"huge": float("inf"), "a": 1}
