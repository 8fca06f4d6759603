"""The accounts that there are, as companies of a CRM are looked up among them."""

from __future__ import annotations

from functools import cached_property
from threading import Lock

from healthscore.core.account import Account
from healthscore.integrations.crm.mapping import domain
from healthscore.storage.accounts import accounts


class Directory:
    """The accounts that there are by exact domain, read once and only when asked."""

    def __init__(self) -> None:
        self._lock = Lock()

    @property
    def by_domain(self) -> dict[str, list[str]]:
        """Accounts by domain: their own id, or `domain` or `website` of their profile or its attributes."""
        with self._lock:
            return self._found

    @cached_property
    def _found(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for account in accounts.scan(0, 1):
            if not isinstance(account, Account) or account.erasing:
                continue
            account_id, profile = account.account_id, account.profile
            said = [account_id]
            for where in (profile, profile.get("attributes") or {}):
                said += [where[name] for name in ("domain", "website") if isinstance(where.get(name), str)]
            for name in {known for text in said if (known := domain(text)) is not None}:
                found.setdefault(name, []).append(account_id)
        return found
