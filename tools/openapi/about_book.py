"""What the routes for the book of accounts, the summary, alerts and erasure are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.api import book
from healthscore.core.book import Sort
from healthscore.core.model import Band
from healthscore.core.scoring.trend import Direction
from tools.openapi.answers_book import AccountAlerts, Book, DayAlerts, ErasedAccount, ErasedUser, ShownAlert, Summary
from tools.openapi.operations import TODAY, Operation, Query

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = {"type": "string", "minLength": 1, "maxLength": book.MAX_TEXT}
_PAGING = (
    Query(
        "limit",
        f"How many a page may have; {book.OTHERWISE} where it is left out.",
        {"type": "integer", "minimum": 1, "maximum": book.MOST},
        3,
    ),
    Query(
        "cursor", "The `next_cursor` of the page before, with all other parameters as they were.", {"type": "string"}
    ),
)
_SORTS = [f"{sign}{sort.value}" for sort in Sort for sign in ("", "-")]

OPERATIONS: Mapping[str, Operation] = {
    "GET /v1/accounts": Operation(
        id="listAccounts",
        tag="Accounts",
        summary="The book of accounts",
        words=(
            "The accounts that fit all filters given, in the order asked for, with what the newest night found. A page "
            "may be short, even empty, and still have a `next_cursor`. An account that does not move while you page is "
            "on exactly one page."
        ),
        answer=Book,
        query=(
            Query("band", "The band of the newest night.", {"type": "string", "enum": [band.value for band in Band]}),
            Query("owner", "Exactly this owner.", _TEXT),
            Query(
                "trend",
                "The trend of the newest night.",
                {"type": "string", "enum": [direction.value for direction in Direction]},
            ),
            Query("segment", "Exactly this segment: the attribute `segment`, or the plan where there is none.", _TEXT),
            Query(
                "q",
                "What the id begins with, or words that begin words of the name; without case and accents.",
                _TEXT,
            ),
            Query("sort", "The order; worst score first where it is left out.", {"type": "string", "enum": _SORTS}),
            *_PAGING,
        ),
    ),
    "GET /v1/summary": Operation(
        id="getSummary",
        tag="Accounts",
        summary="Accounts and ARR by band, and who moved",
        words="As the newest finished night found them; it does not change until the next.",
        answer=Summary,
    ),
    "GET /v1/alerts": Operation(
        id="listAlerts",
        tag="Alerts",
        summary="The alerts of a night",
        words="Of all accounts, by kind.",
        answer=DayAlerts,
        query=(
            Query("date", "The night's day; today where it is left out.", {"type": "string", "format": "date"}, TODAY),
            *_PAGING,
        ),
    ),
    "POST /v1/alerts/{alert_id}/acknowledge": Operation(
        id="acknowledgeAlert",
        tag="Alerts",
        summary="Take an alert in hand",
        words=(
            "Says who has the account's trouble in hand. For 30 days, or until the account was well again, none of its "
            "falls is told, unless it gets worse. Said again it changes nothing; something else takes its place."
        ),
        answer=ShownAlert,
        path={"alert_id": f"{TODAY}-silent-b9fba08ee529cff74396"},
        body="Acknowledgement",
        example={"by": "Kim", "reason": "Calling them this afternoon"},
        errors=("alert_not_found", "alert_not_open"),
    ),
    "POST /v1/alerts/{alert_id}/snooze": Operation(
        id="snoozeAlert",
        tag="Alerts",
        summary="Hear no more of it until a time",
        words=(
            "As an acknowledgement, until a time of your choice. If the account is not well again by then, the next "
            "night says so."
        ),
        answer=ShownAlert,
        path={"alert_id": f"{TODAY}-silent-b9fba08ee529cff74396"},
        body="Snooze",
        example={"by": "Kim", "reason": "Waiting for the renewal talk", "until": f"{TODAY}T23:59:59Z"},
        errors=("alert_not_found", "alert_not_open"),
    ),
    "GET /v1/accounts/{account_id}/alerts": Operation(
        id="listAccountAlerts",
        tag="Alerts",
        summary="An account's alerts",
        words="Newest first.",
        answer=AccountAlerts,
        path={"account_id": "pinecrest"},
        query=_PAGING,
        errors=("account_not_found",),
    ),
    "DELETE /v1/accounts/{account_id}/users/{user_id}": Operation(
        id="eraseUser",
        tag="Accounts",
        summary="Erase a user of an account",
        words=(
            "Every figure of the account stays, and the person is taken out of it: in the event logs somebody unknown, "
            "made up for each day anew, takes their place. Needed only once; after a 503 send it again."
        ),
        answer=ErasedUser,
        path={"account_id": "pinecrest", "user_id": "kate.lowell"},
        errors=("account_not_found", "erasure_unfinished"),
    ),
    "DELETE /v1/accounts/{account_id}": Operation(
        id="eraseAccount",
        tag="Accounts",
        summary="Erase an account",
        words=(
            "Deletes everything that mentions the account. It cannot be seen from the first moment on; events that "
            "come in for it afterwards make a new account. After a 503 send it again."
        ),
        answer=ErasedAccount,
        path={"account_id": "pinecrest"},
        errors=("account_not_found", "erasure_unfinished"),
    ),
}
