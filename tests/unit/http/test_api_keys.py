from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.http.api_keys import (
    LONGEST_KEY,
    CachedKeys,
    Scope,
    authorize,
    authorize_unread,
    credential,
    key_hash,
)
from healthscore.http.errors import ApiError


@dataclass(frozen=True)
class Key:
    hash: str
    scope: str


class Keys:
    """A store of keys that counts how often it is asked."""

    def __init__(self, **scopes: str) -> None:
        self.keys = {key_hash(name): Key(key_hash(name), scope) for name, scope in scopes.items()}
        self.asked = 0

    def __call__(self, digest: str) -> Key | None:
        self.asked += 1
        return self.keys.get(digest)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


KEYS = Keys(w="write", r="read", a="admin")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def refusal(authorization: str | None, needed: Scope = Scope.READ, keys: object = KEYS) -> ApiError:
    headers = {} if authorization is None else {"authorization": authorization}
    with pytest.raises(ApiError) as caught:
        authorize(headers, needed, keys)
    return caught.value


def test_key_hash__of_a_key__is_sha256_in_hex():
    assert key_hash("local-read") == hashlib.sha256(b"local-read").hexdigest()


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer k-1",
        "bearer k-1",
        "BEARER   k-1  ",
        basic("k-1:"),
        basic("k-1"),
        basic("k-1:ignored:too"),
        basic("k-1:").replace("Basic", "basic"),
        basic("k-1").rstrip("="),
    ],
)
def test_credential__bearer_or_basic_user_name__is_the_key(authorization):
    assert credential({"authorization": authorization}) == "k-1"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "k-1",
        "Digest k-1",
        "Bearer k\N{LATIN SMALL LETTER E WITH ACUTE}",
        "Bearer \ud800",
        "Bearer k\0",
        "Bearer " + "k" * (LONGEST_KEY + 1),
        "Bearer " + "k" * 1_000_000,
        "Basic",
        "Basic ???",
        "Basic é",
        "Basic \ud800",
        basic(":password"),
        "Basic " + base64.b64encode(b"\xff\xfe:").decode(),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_authorize__no_usable_key__is_401_and_asks_nobody(authorization):
    keys = Keys(k="admin")
    error = refusal(authorization, keys=keys)
    assert (error.status, error.code, keys.asked) == (401, "invalid_key", 0)
    assert error.headers["WWW-Authenticate"].startswith("Bearer")


def test_authorize__no_header__is_401():
    assert refusal(None).status == 401


@given(st.text(st.characters(), max_size=30), st.sampled_from(["Bearer ", "Basic ", ""]))
def test_authorize__any_text__is_never_an_accident(text, scheme):
    assert refusal(scheme + text, keys=Keys()).status == 401


def test_authorize__unknown_key__is_401_and_is_not_repeated_in_the_message():
    error = refusal("Bearer secret-typo")
    assert (error.status, error.code) == (401, "invalid_key")
    assert "secret-typo" not in error.message


def test_authorize__stored_hash_of_another_key__is_401():
    assert refusal("Bearer k", keys=lambda _digest: Key(key_hash("other"), "admin")).status == 401


@pytest.mark.parametrize(
    ("key", "needed"),
    [("w", Scope.WRITE), ("r", Scope.READ), ("a", Scope.WRITE), ("a", Scope.READ), ("a", Scope.ADMIN)],
)
def test_authorize__scope_that_allows_it__lets_pass(key, needed):
    authorize({"authorization": f"Bearer {key}"}, needed, KEYS)


@pytest.mark.parametrize(
    ("key", "needed", "ending"),
    [
        ("w", Scope.READ, "the scope write; the request needs read or work or admin."),
        ("w", Scope.ADMIN, "the scope write; the request needs admin."),
        ("r", Scope.WRITE, "the scope read; the request needs write or server or admin."),
        ("r", Scope.ADMIN, "the scope read; the request needs admin."),
    ],
)
def test_authorize__scope_that_does_not_allow_it__is_403_and_says_which_would(key, needed, ending):
    error = refusal(f"Bearer {key}", needed)
    assert (error.status, error.code) == (403, "wrong_scope")
    assert error.message.endswith(ending)


def test_cached_keys__known_key_asked_again_soon__is_remembered():
    keys, clock = Keys(k="read"), Clock()
    cached = CachedKeys(keys, clock=clock)
    first = cached(key_hash("k"))
    clock.now += 29
    assert cached(key_hash("k")) == first is not None
    assert keys.asked == 1


def test_cached_keys__key_revoked__is_refused_after_half_a_minute():
    keys, clock = Keys(k="read"), Clock()
    cached = CachedKeys(keys, clock=clock)
    cached(key_hash("k"))
    keys.keys.clear()
    clock.now += 30
    assert cached(key_hash("k")) is None


def test_cached_keys__scope_changed__holds_after_half_a_minute():
    keys, clock = Keys(k="read"), Clock()
    cached = CachedKeys(keys, clock=clock)
    cached(key_hash("k"))
    keys.keys = Keys(k="write").keys
    clock.now += 30
    assert cached(key_hash("k")).scope == "write"


def test_cached_keys__key_created_after_it_was_refused__works_at_once():
    keys, clock = Keys(), Clock()
    cached = CachedKeys(keys, clock=clock)
    assert cached(key_hash("k")) is None
    keys.keys = Keys(k="read").keys
    assert cached(key_hash("k")).scope == "read"


def unread(body: bytes, authorization: str = "", keys: Keys | None = None, needed: Scope = Scope.WRITE) -> str:
    """What becomes of a request whose body nobody has read."""
    try:
        authorize_unread({"authorization": authorization}, body, needed, keys or KEYS)
    except ApiError as refusal:
        return refusal.code
    return "passes"


@pytest.mark.parametrize(
    ("body", "authorization", "expected"),
    [
        (b'{"batch": [], "writeKey": "w"}', "", "passes"),
        (b'{"writeKey" : "w", "batch": [%s1]}' % (b"1," * 100_000), "", "passes"),
        (b'{"batch": [%s1], "writeKey":"w"}' % (b"1," * 100_000), "", "passes"),
        (gzip.compress(b'{"writeKey": "w", "batch": []}'), "", "passes"),
        (gzip.compress(b'{"batch": [%s1],"sentAt":"","writeKey":"w"}' % (b"1," * 250_000)), "", "passes"),
        (b'{"batch": [{"properties": {"writeKey": "x"}}], "writeKey": "w"}', "", "passes"),
        (b'{"batch": [], "writeKey": "w"}', "Bearer x", "passes"),
        (b'{"batch": [], "writeKey": "x"}', "Bearer w", "passes"),
        (b'{"batch": [], "writeKey": "w"}', basic("x:"), "invalid_key"),
        (b"{", basic("w:"), "passes"),
        (b'{"batch": [], "writeKey": "r"}', "", "wrong_scope"),
        (b'{"batch": [], "writeKey": "x"}', "", "invalid_key"),
        (b'{"batch": [], "writeKey": 1}', "", "invalid_key"),
        (gzip.compress(b'{"writeKey": "x", "batch": []}'), "", "invalid_key"),
        (gzip.compress(b'{"batch": [%s1],"writeKey":"w"}' % (b"1," * 1_000_000)), "", "invalid_key"),
        (b"\x1f\x8b damaged", "", "invalid_key"),
        (b"", "", "invalid_key"),
    ],
)
def test_authorize_unread__what_is_in_sight__decides(body, authorization, expected):
    assert unread(body, authorization) == expected


def test_authorize_unread__body_of_a_stranger__costs_three_lookups_at_most_and_no_time():
    """A bomb that fits into a request inflates to gigabytes; a body could name a thousand keys."""
    keys = Keys()
    many = json.dumps([{"writeKey": f"k-{number}"} for number in range(100_000)]).encode()
    for body in (many, gzip.compress(many), gzip.compress(b"[" * 50_000_000)):
        keys.asked = 0
        started = time.perf_counter()
        assert unread(body, "Bearer k", keys=keys) == "invalid_key"
        assert keys.asked <= 3
        assert time.perf_counter() - started < 1
