"""What a key that may be public may not send.

Such a key's events and calls are held against the settings `public_keys`: whether calls that say who is who are taken,
whether accounts may be created, and how much the key may send in a day. What is refused rejects itself, as any other
fault does: at an error status the vendors' clients would drop, or send again, what stands beside it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from healthscore import process
from healthscore.api.event_rules import RefusedError
from healthscore.http.errors import ApiError, ErrorKind, shown
from healthscore.metrics import Metric
from healthscore.storage.accounts import existence
from healthscore.storage.allowances import allowances

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import date

    from healthscore.http.request import Request
    from healthscore.settings import PublicKeys

TOO_MANY_TODAY = ErrorKind(
    HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_today",
    "The key is public, and has sent as much as the setting `public_keys.events_per_day` allows; nothing was stored. "
    "`Retry-After` says when the next day begins.",
)
KNOWN_SECONDS = 300.0
"""How long a process remembers that an account is there."""
MAX_KNOWN = 20_000


class Rights(NamedTuple):
    """What the key of a request may send."""

    is_public: bool = False
    events_only: bool = False
    unknown_accounts: Collection[str] = ()
    """Accounts that nobody else has created, and that this key may not create."""
    creates_none: bool = False
    """Whether it may not create them on any day."""
    used_up: bool = False
    """Whether it has sent as much as it may today."""

    @property
    def refuses_some(self) -> bool:
        """Whether calls that could be taken are refused."""
        return self.used_up or bool(self.unknown_accounts)

    def check_kind(self, *, is_event: bool) -> None:
        """Refuse a call by its kind.

        Raises:
            RefusedError: the key may not send it.
        """
        if self.events_only and not is_event:
            raise RefusedError(
                "not_for_public_keys",
                "this key is public and may send events alone (setting public_keys.events_only); say who is who with a "
                "server key",
            )

    def check_account(self, account_id: str | None) -> None:
        """Refuse a call by the account that it names. Raises as `check_kind` does."""
        if account_id not in self.unknown_accounts:
            return
        if self.creates_none:
            raise RefusedError(
                "unknown_account",
                f"there is no account {shown(str(account_id))}, and public keys create none (setting "
                "public_keys.known_accounts_only); create it with a server or admin key",
            )
        raise RefusedError(
            "too_many_new_accounts",
            f"{shown(str(account_id))} would be a new account, and this public key has created as many as it may today "
            "(setting public_keys.new_accounts_per_day); create it with a server or admin key",
        )

    def check_day(self) -> None:
        """Refuse a call where the day is used up. Raises as `check_kind` does."""
        if self.used_up:
            raise RefusedError(
                "too_many_today",
                "this public key has sent as much as it may today (setting public_keys.events_per_day); send it with a "
                "server key, or tomorrow",
            )


ALL_RIGHTS = Rights()


class KnownAccounts:
    """Accounts that were there a moment ago, so that not every request reads them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        process.remember(self)

    def unknown(self, account_ids: Collection[str]) -> list[str]:
        """Those of some accounts that are not there, in the order given.

        Raises:
            StorageUnavailableError: the table cannot be read now.
        """
        now = self._clock()
        to_read = [account_id for account_id in account_ids if self._until.get(account_id, now) <= now]
        found = existence.known(to_read) if to_read else set()
        self.add(found)
        return [account_id for account_id in to_read if account_id not in found]

    def add(self, account_ids: Iterable[str]) -> None:
        """Remember that accounts are there, or about to be created."""
        if len(self._until) > MAX_KNOWN:
            self._until = {}
        until = self._clock() + KNOWN_SECONDS
        self._until.update(dict.fromkeys(account_ids, until))

    def forget(self) -> None:
        """Read every account again."""
        self._until = {}


_known = KnownAccounts()


def rights_before(request: Request, settings: PublicKeys) -> Rights:
    """What the key of a request may send, before its calls are read."""
    public = request.has_public_key
    return Rights(public, events_only=public and settings.events_only)


def rights_for(request: Request, settings: PublicKeys, account_ids: Iterable[str | None], count: int) -> Rights:
    """What the key of a request may send of what it sends; what it may is used up of the key's day.

    Args:
        request: the request.
        settings: those of public keys.
        account_ids: the accounts that its calls name.
        count: how many calls could be taken.

    Raises:
        StorageUnavailableError: it is not known.
    """
    rights = rights_before(request, settings)
    if not rights.is_public or request.key is None:
        return rights
    key, day = request.key.hash, request.received_at.astimezone(UTC).date()
    if not allowances.take(key, day, "events", count, settings.events_per_day):
        return rights._replace(used_up=True)
    unknown = _known.unknown(sorted({one for one in account_ids if one is not None}))
    if settings.known_accounts_only:
        return rights._replace(unknown_accounts=frozenset(unknown), creates_none=True)
    created = allowances.take_some(key, day, "accounts", len(unknown), settings.new_accounts_per_day)
    _known.add(unknown[:created])
    return rights._replace(unknown_accounts=frozenset(unknown[created:]))


def count_refused(request: Request, codes: Iterable[str]) -> None:
    """Count what was refused since a day is used up: a flood, or a setting that has become too small."""
    over = sum(code in {"too_many_today", "too_many_new_accounts"} for code in codes)
    if over:
        request.counts[Metric.EVENTS_OVER_LIMIT] = over


def too_many_today(now: datetime) -> ApiError:
    """429 until the next day of UTC, for programs that speak the API's own format and send everything again."""
    next_day = _midnight(now.astimezone(UTC).date() + timedelta(days=1))
    seconds = int((next_day - now).total_seconds()) + 1
    return ApiError(
        TOO_MANY_TODAY,
        "This key is public, and has sent as much as it may today (setting public_keys.events_per_day). Nothing was "
        "stored: send it with a server key, or tomorrow.",
        headers={"Retry-After": str(seconds)},
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
