"""Erasing an account, or a user of one.

The routes import the service when it is asked for: its twenty modules would slow down every cold start of the function.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from healthscore.api.answers import ACCOUNT_NOT_FOUND, account_not_found
from healthscore.http.api_keys import Scope
from healthscore.http.errors import ApiError, ErrorKind
from healthscore.http.route import route
from healthscore.storage.accounts.existence import canonical
from healthscore.storage.errors import AccountErasedError

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.http.request import Request

    class ErasedAccount(TypedDict):
        """Nothing that mentions the account is left, but for files of the dataset while `status` is `erasing`."""

        account_id: str
        erased: bool
        status: Literal["erased", "erasing"]

    class ErasedUser(TypedDict):
        """Nothing in the account that mentions the user is left."""

        account_id: str
        user_id: str
        erased: Literal[True]


TAG = "Accounts"
ERASURE_UNFINISHED = ErrorKind(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "erasure_unfinished",
    "The erasure has begun and needs more time; send the same request again.",
)


@route(
    "DELETE /v1/accounts/{account_id}/users/{user_id}",
    scope=Scope.ADMIN,
    errors=(ACCOUNT_NOT_FOUND, ERASURE_UNFINISHED),
)
def erase_user(request: Request) -> ErasedUser:
    """Erase a user of an account.

    Every figure of the account stays, and the person is taken out of it: in the event logs a made-up unknown person
    takes their place, another one for each day. Needed only once; after a 503 send it again.
    """
    from healthscore.services import erasure  # noqa: PLC0415  (see above)

    account_id, user_id = canonical(request.params["account_id"]), request.params["user_id"]
    try:
        erasure.erase_user(account_id, user_id, request.received_at, lambda: request.time_left() > 0)
    except AccountErasedError:
        raise account_not_found(account_id) from None
    except erasure.ErasureUnfinishedError:
        raise _unfinished("some days may still name the user") from None
    return {"account_id": account_id, "user_id": user_id, "erased": True}


@route("DELETE /v1/accounts/{account_id}", scope=Scope.ADMIN, errors=(ACCOUNT_NOT_FOUND, ERASURE_UNFINISHED))
def erase_account(request: Request) -> ErasedAccount:
    """Erase an account.

    Deletes everything that mentions the account, ids included that were merged into it. It is hidden from the first
    moment on. Events that come in for it
    afterwards make a new account. After a 503 send it again. While the answer's `status` is `erasing`, files of the
    dataset are being written again without the account, which takes some minutes at most unless a night is running; the
    same request again tells how far that is, and ends with 404 or `erased`.
    """
    from healthscore.services import dataset_erasure, erasure  # noqa: PLC0415  (see above)

    account_id = canonical(request.params["account_id"])
    try:
        found = erasure.erase_account(account_id, request.received_at, lambda: request.time_left() > 0)
    except erasure.ErasureUnfinishedError:
        raise _unfinished("something of the account may be left") from None
    in_dataset = dataset_erasure.hand_over(account_id)
    if not found and not in_dataset:
        raise account_not_found(account_id)
    return {"account_id": account_id, "erased": not in_dataset, "status": "erasing" if in_dataset else "erased"}


def _unfinished(state: str) -> ApiError:
    return ApiError(
        ERASURE_UNFINISHED,
        f"The erasure has begun and could not be finished in the time of one request: {state}. Send the same request "
        "again; if you do not, the next nightly run finishes it.",
        headers={"Retry-After": "1"},
    )
