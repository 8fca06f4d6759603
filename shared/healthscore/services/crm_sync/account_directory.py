"""The accounts by domain, for matching companies."""

from __future__ import annotations

from functools import cached_property
from threading import Lock

from healthscore.core.account import Account
from healthscore.integrations.crm.mapping import domain
from healthscore.storage.accounts import accounts, merges


class Directory:
    """Accounts by exact domain. All accounts are scanned at the first use, and only then."""

    def __init__(self) -> None:
        self._lock = Lock()

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
        for account in accounts.scan(0, 1):
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
