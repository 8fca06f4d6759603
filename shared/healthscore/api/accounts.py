"""What an account's own page shows of it beside its score: profile, CRM facts, latest night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.documents import crm_to_json
from healthscore.core.time import format_instant
from healthscore.http import query
from healthscore.http.errors import account_not_found
from healthscore.http.paths import account_path
from healthscore.storage.accounts import accounts

if TYPE_CHECKING:
    from healthscore.core.account import Account
    from healthscore.http.request import Request


def get_account(request: Request) -> dict[str, Any]:
    """Answer `GET /v1/accounts/{account_id}`, in whichever function the gateway has sent it to.

    Raises:
        ApiError: 404 `account_not_found`.
    """
    query.only(request)
    account = accounts.get(request.params["account_id"])
    if account is None:
        raise account_not_found(request.params["account_id"])
    return account_document(account)


def account_document(account: Account) -> dict[str, Any]:
    """An account as the API shows it.

    Returns:
        `account_id`; its ready `path`; `profile`, with the fields that are known; `from_traits`, the names of those
        that stand there by the traits of group calls, attributes as `attributes.<name>`; `crm`, with the fields that
        were said, or null; `since`, its first sign of life (RFC 3339, UTC); `latest`, the newest night's `score`,
        `band` and `date`, or null.
    """
    latest = account.latest
    return {
        "account_id": account.account_id,
        "path": account_path(account.account_id),
        "profile": account.profile,
        "from_traits": list(account.from_traits),
        "crm": None if account.crm is None else crm_to_json(account.crm),
        "since": format_instant(account.known_since),
        "latest": None
        if latest is None
        else {"score": latest.score, "band": latest.band.value, "date": latest.day.isoformat()},
    }
