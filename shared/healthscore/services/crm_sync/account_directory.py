"""The accounts by domain, for matching companies."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from healthscore.core.account import Account
from healthscore.integrations.crm.mapping import domain
from healthscore.storage.accounts import accounts, merges

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_Found = defaultdict[str | None, set[str]]


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
        """Ids of accounts by domain: `domain` and `website` of the profile and of its attributes.

        An account is found as well by what was given up for it, its id included.

        Raises:
            StorageUnavailableError: the accounts cannot be read now.
        """
        with self._lock:
            return self._found[0]

    @property
    def by_id(self) -> dict[str, list[str]]:
        """Ids of accounts that are a domain, by it. Raises as `by_domain`."""
        with self._lock:
            return self._found[1]

    @cached_property
    def _found(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        stated, by_id = _Found(set), _Found(set)
        canonical = merges.read().merges.canonical
        given = accounts.scan(0, 1) if self._among is None else map(accounts.get, sorted(self._among))
        for account in given:
            if not isinstance(account, Account) or account.erasing:
                continue
            account_id, profile = account.account_id, account.profile
            (by_id if account.into is None else stated)[domain(account_id)].add(canonical(account_id))
            for where in (profile, profile.get("attributes") or {}):
                for name in ("domain", "website"):
                    if isinstance(where.get(name), str):
                        stated[domain(where[name])].add(canonical(account_id))
        return _sorted(stated), _sorted(by_id)


def _sorted(found: Mapping[str | None, set[str]]) -> dict[str, list[str]]:
    return {name: sorted(ids) for name, ids in found.items() if name is not None}
