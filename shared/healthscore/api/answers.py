"""What the answers of several resources have in common."""

from __future__ import annotations

from http import HTTPStatus

from healthscore.http.errors import ApiError, ErrorKind, shown
from healthscore.http.paths import encode_id

ACCOUNT_NOT_FOUND = ErrorKind(
    HTTPStatus.NOT_FOUND, "account_not_found", "The path is right, and no account of that id is known."
)


def account_not_found(account_id: str) -> ApiError:
    """404: the path is right, and no account of that id is known."""
    return ApiError(
        ACCOUNT_NOT_FOUND,
        f"There is no account {shown(account_id)}. Its first event creates an account, as does PUT of its profile.",
    )


def account_path(account_id: str) -> str:
    """The path of an account, as a client sends it."""
    return f"/v1/accounts/{encode_id(account_id)}"
