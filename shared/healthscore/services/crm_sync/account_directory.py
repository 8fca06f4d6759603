"""The accounts by domain, for matching companies."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from healthscore.core.account import Account
from healthscore.integrations.crm.mapping import domain
from healthscore.storage.accounts import accounts, merges

if TYPE_CHECKING:
    from collections.abc import Collection


class Directory:
    """Accounts by exact domain. They are read at the first use, and only then.

    Args:
        among: ids of the only accounts to look among; every account where it is None.
    """

    def __init__(self, among: Collection[str] | None = None) -> None:
        self._lock = Lock()
        self._among = among

    @property
    def is_whole(self) -> bool:
        """Whether every account is in it, so that a domain that is not found belongs to none."""
        return self._among is None

    @property
    def by_domain(self) -> dict[str, list[str]]:
        """Ids of accounts by domain: the id itself, and `domain` and `website` of the profile and of its attributes.

        An account is found as well by what was given up for it.

        Raises:
            StorageUnavailableError: the accounts cannot be read now.
        """
        with self._lock:
            return self._found

    @cached_property
    def _found(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        canonical = merges.read().merges.canonical
        given = accounts.scan(0, 1) if self._among is None else map(accounts.get, sorted(self._among))
        for account in given:
            if not isinstance(account, Account) or account.erasing:
                continue
            account_id, profile = account.account_id, account.profile
            texts = [account_id]
            if account.into is not None:
                account_id = canonical(account_id)
            for where in (profile, profile.get("attributes") or {}):
                texts += [where[name] for name in ("domain", "website") if isinstance(where.get(name), str)]
            for name in {known for text in texts if (known := domain(text)) is not None}:
                found.setdefault(name, set()).add(account_id)
        return {name: sorted(accounts_) for name, accounts_ in found.items()}
