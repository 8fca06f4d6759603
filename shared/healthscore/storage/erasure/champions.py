"""Takes a user off the champions in the account's profile (table Accounts)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage.accounts import accounts
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import UserErasure

USERS_COVERS = frozenset({Kind.ACCOUNT})


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Take the user, and the user's other user ids, off the champions."""
    user_ids = {person[1:] for person in erasure.known_as if person.startswith("u")}
    account = accounts.get(erasure.account_id)
    if account is None or not user_ids.intersection(account.profile.get("champions", ())):
        return

    def without(profile: dict[str, Any]) -> dict[str, Any]:
        champions = [champion for champion in profile.get("champions", ()) if champion not in user_ids]
        return {**profile, "champions": champions}

    accounts.save_profile(erasure.account_id, without, erasure.now)
    yield 1
