"""What went wrong, said so that the person who reads it knows what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_CHARACTERS = 60


class ApiError(Exception):
    """An answer other than 200, raised from wherever it becomes certain.

    Attributes:
        status: HTTP status.
        code: stable snake_case word that programs may test for.
        message: plain words for people; never holds a key, and event contents only as far as needed to point at them.
        extra: further members of the JSON body.
        headers: further response headers.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.message = message
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON object that is answered: `success`, `code`, `message`, `request_id` and whatever `extra` adds."""
        return {
            "success": False,
            "code": self.code,
            "message": self.message,
            "request_id": request_id,
            **self.extra,
        }


def shown(text: str) -> str:
    """Text of a stranger made fit for a message: quoted, cut, and without characters that could break an answer."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
    return (
        '"' + "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut) + '"'
    )


def invalid_request(message: str, **extra: Any) -> ApiError:  # noqa: ANN401  (any JSON value)
    """400: the request is understood, and something in it is wrong."""
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_request", message, extra=extra)


def invalid_json(message: str) -> ApiError:
    """400: the body is not the JSON it has to be."""
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_json", message)


def account_not_found(account_id: str) -> ApiError:
    """404: the path is right, and no account of that id is known."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        "account_not_found",
        f"There is no account {shown(account_id)}. An account comes into being with its first event, "
        "or with PUT of its profile.",
    )


def storage_unavailable(retry_after_seconds: int) -> ApiError:
    """503: storage could not be reached or is busy; the same request may be sent again as it is."""
    return ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "storage_unavailable",
        "Storage did not answer in time. Send the same request again: nothing is counted twice.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def internal_error() -> ApiError:
    """500: a mistake of ours; the log has it under the request id."""
    return ApiError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong on our side. Quote the request_id when you report it.",
    )
