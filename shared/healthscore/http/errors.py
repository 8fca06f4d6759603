"""Errors as the API answers them: a code for programs, and a message that says what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_CHARACTERS = 60


class ErrorKind(NamedTuple):
    """An error that a route may answer, as its declaration names it and as the API's description shows it."""

    status: HTTPStatus
    code: str
    """Stable snake_case word that programs may test for."""
    meaning: str
    """What it means and what to do about it, in Markdown, for the integrator who reads the API's description."""


INVALID_REQUEST = ErrorKind(
    HTTPStatus.BAD_REQUEST,
    "invalid_request",
    "A field, a query parameter or an id in the path is wrong; `message` says which and why. Nothing was changed.",
)
INVALID_JSON = ErrorKind(
    HTTPStatus.BAD_REQUEST, "invalid_json", "The body is empty, cut off, no JSON, no UTF-8, or damaged gzip."
)
INVALID_KEY = ErrorKind(
    HTTPStatus.UNAUTHORIZED, "invalid_key", "The request carries no key, or one that is not known or was revoked."
)
WRONG_SCOPE = ErrorKind(HTTPStatus.FORBIDDEN, "wrong_scope", "The key is good, and may not do this.")
NOT_FOUND = ErrorKind(
    HTTPStatus.NOT_FOUND,
    "not_found",
    "There is no such path, often because an id should be written with `~`; or no such CRM is connected.",
)
METHOD_NOT_ALLOWED = ErrorKind(
    HTTPStatus.METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "The path is right and takes other methods; see the header `Allow`.",
)
BODY_TOO_LARGE = ErrorKind(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The body is too large (5 MiB after inflating); split it."
)
INTERNAL_ERROR = ErrorKind(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_error",
    "The product made a mistake; its log has it under the `request_id`.",
)
STORAGE_UNAVAILABLE = ErrorKind(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "storage_unavailable",
    "Storage did not answer in time. Wait as long as `Retry-After` says and send the same again: nothing is counted "
    "twice.",
)


NO_ROOM = ErrorKind(
    HTTPStatus.CONFLICT,
    "no_room",
    "What is stored of the account or the person has no room for more; `message` says what is full. The same request "
    "fails again: take something away first, or leave it out.",
)


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
        kind: ErrorKind,
        message: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.status, kind.code)
        self.status = kind.status
        self.code = kind.code
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
    """Text that a client sent, fit for a message: quoted, cut, and without characters that could break an answer."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
    return (
        '"' + "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut) + '"'
    )


def invalid_request(message: str, **extra: Any) -> ApiError:  # noqa: ANN401  (any JSON value)
    """400: the request is understood, and something in it is wrong."""
    return ApiError(INVALID_REQUEST, message, extra=extra)


def invalid_json(message: str) -> ApiError:
    """400: the body is not the JSON it has to be."""
    return ApiError(INVALID_JSON, message)


def storage_unavailable(retry_after_seconds: int) -> ApiError:
    """503: storage could not be reached or is busy; the same request may be sent again as it is."""
    return ApiError(
        STORAGE_UNAVAILABLE,
        "Storage did not answer in time. Send the same request again: nothing is counted twice.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def no_room(full: str) -> ApiError:
    """409: what is sent does not fit in beside what is stored; the same request fails again."""
    return ApiError(
        NO_ROOM,
        f"There is no room for this in {full}. Nothing was changed, and the same request fails again: take something "
        "away first, or leave it out.",
    )


def internal_error() -> ApiError:
    """500: a mistake of the product; the log has it under the request id."""
    return ApiError(INTERNAL_ERROR, "Something went wrong on our side. Quote the request_id when you report it.")
