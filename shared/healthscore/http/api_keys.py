"""API keys: finding one in a request, and what it allows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from healthscore import process
from healthscore.http.body import written_keys
from healthscore.http.errors import INVALID_KEY, WRONG_SCOPE, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_KEY = 200
CACHE_SECONDS = 30.0


class Scope(StrEnum):
    """What a key may do."""

    WRITE = "write"
    """Send what users do and who they are, and read nothing: such a key may be public, and a stranger may have it."""
    SERVER = "server"
    """What a write key may, and also say what an account pays and who looks after it: for programs of one's own."""
    READ = "read"
    WORK = "work"
    """What a read key may, and also what people do who look after accounts: handle alerts, and say whose an account is
    and how it is used."""
    ADMIN = "admin"
    """Everything."""

    def allows(self, needed: Scope) -> bool:
        """Whether a key of this scope suffices where `needed` is asked for."""
        return self in {Scope.ADMIN, needed} or needed is _INCLUDED.get(self)


_INCLUDED = {Scope.SERVER: Scope.WRITE, Scope.WORK: Scope.READ}
"""What a scope may besides its own."""


class StoredKey(Protocol):
    """What storage knows of a key; the key itself is kept nowhere."""

    @property
    def hash(self) -> str:
        """SHA-256 of the key, in hex."""

    @property
    def scope(self) -> str:
        """One of `Scope`."""


def key_hash(key: str) -> str:
    """The form in which keys are stored and looked up: SHA-256 in hex; keys are long and random and need no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def credential(headers: Mapping[str, str], body: object = None) -> str | None:
    """The key that a request carries: the user name of Basic, else `writeKey` in its body, else the token of Bearer.

    Args:
        headers: by lower-case name.
        body: the JSON value of the body, for routes whose clients may put the key there.

    Returns:
        The key, or None where there is none or it cannot be one.
    """
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    key = rest.strip()
    basic = _user_name(key) if scheme.lower() == "basic" else ""
    in_body = body.get("writeKey") if isinstance(body, dict) else None
    if basic:
        key = basic
    elif isinstance(in_body, str):
        key = in_body
    elif scheme.lower() != "bearer":
        return None
    return key if 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() else None


def _is_basic(headers: Mapping[str, str]) -> bool:
    """Whether a request carries its key in the header that no key in a body can replace."""
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    return scheme.lower() == "basic" and bool(_user_name(rest.strip()))


def _user_name(encoded: str) -> str:
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[0]


def authorize(
    headers: Mapping[str, str], needed: Scope, find_key: Callable[[str], StoredKey | None], body: object = None
) -> StoredKey:
    """Let a request pass, or refuse it.

    Args:
        headers: of the request, by lower-case name.
        needed: the scope that the route asks for.
        find_key: looks a key up by its SHA-256 in hex.
        body: see `credential`.

    Returns:
        What is stored of the key.

    Raises:
        ApiError: 401 `invalid_key` without a known key, 403 `wrong_scope` where the key may not do this.
    """
    key = credential(headers, body)
    if key is None:
        raise _invalid_key("No API key was sent")
    digest = key_hash(key)
    found = find_key(digest)
    if found is None or not hmac.compare_digest(found.hash, digest):
        raise _invalid_key("This API key is not known, or was revoked")
    if not Scope(found.scope).allows(needed):
        wanted = " or ".join(scope for scope in Scope if scope.allows(needed))
        raise ApiError(WRONG_SCOPE, f"This key has the scope {found.scope}; the request needs {wanted}.")
    return found


def authorize_unread(
    headers: Mapping[str, str], body: bytes, needed: Scope, find_key: Callable[[str], StoredKey | None]
) -> None:
    """Refuse a request before its body is inflated or parsed, where no key in sight may let it pass.

    The key in the body decides, which is known once the body is parsed. Before that, what looks like a key there has to
    be one: so a stranger cannot make the product work.

    Args:
        headers: of the request, by lower-case name.
        body: as it was sent.
        needed: the scope that the route asks for.
        find_key: looks a key up by its SHA-256 in hex.

    Raises:
        ApiError: as `authorize` does.
    """
    in_sight: list[object] = [None] if _is_basic(headers) else [*map(_in_body, written_keys(body)), None]
    refusals = []
    for seen in in_sight:
        try:
            authorize(headers, needed, find_key, seen)
        except ApiError as refusal:
            refusals.append(refusal)
        else:
            return
    raise min(refusals, key=lambda refusal: refusal.code == INVALID_KEY.code)


def _in_body(key: str) -> dict[str, str]:
    return {"writeKey": key}


def _invalid_key(reason: str) -> ApiError:
    return ApiError(
        INVALID_KEY,
        f"{reason}. Send it as Authorization: Bearer <key>, or as the user name of Basic.",
        headers={"WWW-Authenticate": 'Bearer realm="healthscore"'},
    )


class CachedKeys:
    """A key lookup that remembers found keys for half a minute, which is how long a revoked key may go on working.

    Keys that are not found are never remembered: a new key works at once, and strangers cannot fill the memory.
    """

    def __init__(
        self,
        find_key: Callable[[str], StoredKey | None],
        *,
        clock: Callable[[], float] = time.monotonic,
        seconds: float = CACHE_SECONDS,
    ) -> None:
        self._find_key = find_key
        self._clock = clock
        self._seconds = seconds
        self._found: dict[str, tuple[float, StoredKey]] = {}
        process.remember(self)

    def __call__(self, digest: str) -> StoredKey | None:
        """Look a key up by its SHA-256 in hex."""
        now = self._clock()
        until, key = self._found.get(digest, (now, None))
        if key is not None and now < until:
            return key
        key = self._find_key(digest)
        if key is None:
            self._found.pop(digest, None)
        else:
            self._found[digest] = (now + self._seconds, key)
        return key

    def forget(self) -> None:
        """Look every key up again."""
        self._found.clear()
