"""Erasing accounts and users, so that it can be interrupted anywhere and is carried on by whoever comes next."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.http import query
from healthscore.http.errors import ApiError, account_not_found
from healthscore.storage import workspace
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.erasure import pending_users, pseudonymise
from healthscore.storage.erasure import people as people_erasing
from healthscore.storage.errors import AccountErasedError
from healthscore.storage.people import people

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from healthscore.http.request import Request


def delete_account(request: Request) -> dict[str, Any]:
    """Answer `DELETE /v1/accounts/{account_id}`: nothing that mentions it is left.

    Raises:
        ApiError: 404 `account_not_found`, or 503 `erasure_unfinished` where time ran out.
    """
    query.only(request)
    account_id = request.params["account_id"]
    known = erasing.mark(account_id, request.received_at)
    found, done = erasing.erase(account_id, lambda: request.time_left() > 0)
    if not done:
        raise _unfinished("something of the account may be left")
    if not known and not found:
        raise account_not_found(account_id)
    return {"account_id": account_id, "erased": True}


def delete_user(request: Request) -> dict[str, Any]:
    """Answer `DELETE /v1/accounts/{account_id}/users/{user_id}`: the account's figures stay, the person is gone.

    Raises:
        ApiError: 404 `account_not_found`, or 503 `erasure_unfinished` where time ran out.
    """
    query.only(request)
    account_id, user_id = request.params["account_id"], request.params["user_id"]
    try:
        pending_users.begin(account_id, user_id)
    except AccountErasedError:
        raise account_not_found(account_id) from None
    if not forget_user(account_id, user_id, request.received_at, lambda: request.time_left() > 0):
        raise _unfinished("some days may still name the user")
    return {"account_id": account_id, "user_id": user_id, "erased": True}


def forget_user(account_id: str, user_id: str, now: datetime, keep_going: Callable[[], bool]) -> bool:
    """Take a user out of an account; answers whether nothing is left.

    The ids that the user is known by as well, as of visits before signing in, go the same way. Where the user belongs
    to other accounts, what these know of them stays.

    Raises:
        StorageUnavailableError: something may be left.
    """
    user, *others = known_as = people.known_as(f"u{user_id}")
    retention_days = workspace.settings().settings.retention_days
    if not pseudonymise.scrub(account_id, known_as, retention_days, keep_going):
        return False
    pending_users.drop_champions(account_id, {person[1:] for person in known_as if person.startswith("u")}, now)
    for person in others:
        people_erasing.leave(person, account_id)
    people_erasing.leave(user, account_id, for_good=True)  # last, since it leads to the others
    pending_users.end(account_id, user_id)
    return True


def _unfinished(state: str) -> ApiError:
    return ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "erasure_unfinished",
        f"The erasure has begun and could not be finished in the time of one request: {state}. Send the same request "
        "again; if you do not, the next nightly run finishes it.",
        headers={"Retry-After": "1"},
    )
