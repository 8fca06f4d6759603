"""Merging two accounts.

The route imports the service when it is asked for, as erasing does.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from healthscore.api.answers import ACCOUNT_NOT_FOUND, account_not_found
from healthscore.http.api_keys import Scope
from healthscore.http.errors import ApiError, ErrorKind
from healthscore.http.route import route
from healthscore.storage.errors import AccountErasedError

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.http.request import Request

    class MergedAccount(TypedDict):
        """The two ids are one account."""

        account_id: str
        """The id that was given up."""
        into: str
        """The id by which the account goes on."""
        done: Literal[True]


TAG = "Accounts"
MERGE_REFUSED = ErrorKind(
    HTTPStatus.CONFLICT,
    "merge_refused",
    "The two ids are one account already, the first one was merged into yet another account, or the workspace has as "
    "many merges as it can have.",
)
MERGE_UNFINISHED = ErrorKind(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "merge_unfinished",
    "The merge has begun and needs more time; send the same request again.",
)


@route(
    "POST /v1/accounts/{account_id}/merge",
    scope=Scope.ADMIN,
    body="schemas.Merge",
    errors=(ACCOUNT_NOT_FOUND, MERGE_REFUSED, MERGE_UNFINISHED),
)
def merge_account(request: Request) -> MergedAccount:
    """Merge an account into another one.

    Makes two ids one account, for the past and from now on. Its events count for the account `into`, each exactly once;
    events, paths and CRM companies that name the old id follow. What is known of the account `into` stays, and what is
    not is filled from the other one. There is no way back. After a 503 send it again.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (only where there is a body to check)
    from healthscore.services import merging  # noqa: PLC0415  (see above)
    from healthscore.storage.accounts.merging import MergeRefusedError, TooManyMergesError  # noqa: PLC0415

    account_id, into = request.params["account_id"], schemas.read_merge(request.json())
    try:
        goes_on = merging.merge(account_id, into, request.received_at, request.time_left)
    except AccountErasedError as error:
        raise account_not_found(str(error)) from None
    except MergeRefusedError as error:
        raise ApiError(MERGE_REFUSED, f"Nothing was changed: the account {error}.") from None
    except TooManyMergesError:
        raise ApiError(MERGE_REFUSED, "Nothing was changed: the workspace has as many merges as it can have.") from None
    except merging.MergeUnfinishedError:
        raise ApiError(
            MERGE_UNFINISHED,
            "The two ids are one account, and not all of its past is moved yet. Send the same request again; if you do "
            "not, the next nightly run finishes it.",
            headers={"Retry-After": "1"},
        ) from None
    return {"account_id": account_id, "into": goes_on, "done": True}
