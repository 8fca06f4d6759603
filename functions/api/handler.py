"""Keeps what people know and choose: profiles, CRM facts, settings. Also answers whatever no other function does.

The schemas are imported by the routes that write: Pydantic would more than double the start of a function that is asked
to read, or for its pulse.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore import startup  # isort: split

from healthscore.api import crm as crm_routes
from healthscore.api import lists
from healthscore.api.accounts import account_document, get_account
from healthscore.http import query
from healthscore.http.api_keys import CachedKeys
from healthscore.http.errors import ApiError, account_not_found
from healthscore.http.published import PublishedFile, published_file
from healthscore.http.router import Router
from healthscore.services import acknowledgements as acknowledgement
from healthscore.services import erasure
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.errors import TimezoneFixedError

if TYPE_CHECKING:
    from healthscore.http.request import Request
    from healthscore.storage.workspace import StoredSettings

router = Router()
find_key = CachedKeys(workspace.find_key)
router.route("GET /v1/accounts")(lists.get_book)
router.route("GET /v1/summary")(lists.get_summary)
router.route("GET /v1/alerts")(lists.get_alerts)
router.route("POST /v1/alerts/{alert_id}/acknowledge")(acknowledgement.acknowledge)
router.route("POST /v1/alerts/{alert_id}/snooze")(acknowledgement.snooze)
router.route("GET /v1/accounts/{account_id}")(get_account)
router.route("DELETE /v1/accounts/{account_id}")(erasure.delete_account)
router.route("DELETE /v1/accounts/{account_id}/users/{user_id}")(erasure.delete_user)
for _key, _answer in crm_routes.ROUTES.items():
    router.route(_key)(_answer)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, find_key)


@router.route("GET /healthz")
def get_healthz(_request: Request) -> dict[str, Any]:
    """Say that the API is there; no key, and no table is read."""
    return {"status": "ok"}


@router.route("GET /v1/openapi.json")
def get_openapi(request: Request) -> PublishedFile:
    """Describe the API to programs."""
    query.only(request)
    return published_file("openapi.json")


@router.route("GET /v1/docs")
def get_docs(request: Request) -> PublishedFile:
    """Describe the API to people."""
    query.only(request)
    return published_file("docs.html")


@router.route("PUT /v1/accounts/{account_id}")
def put_account(request: Request) -> dict[str, Any]:
    """Replace an account's profile; creates the account."""
    from healthscore.api import schemas  # noqa: PLC0415  (see above)

    query.only(request)
    profile = schemas.merge_profile({}, schemas.read_profile(request.json()))
    return account_document(
        accounts.save_profile(request.params["account_id"], lambda _standing: profile, request.received_at)
    )


@router.route("PATCH /v1/accounts/{account_id}")
def patch_account(request: Request) -> dict[str, Any]:
    """Change some fields of a known account's profile."""
    from healthscore.api import schemas  # noqa: PLC0415  (see above)

    query.only(request)
    change = schemas.read_profile(request.json())
    account_id = request.params["account_id"]
    if accounts.get(account_id) is None:
        raise account_not_found(account_id)
    return account_document(
        accounts.save_profile(account_id, lambda standing: schemas.merge_profile(standing, change), request.received_at)
    )


@router.route("PUT /v1/accounts/{account_id}/crm")
def put_crm(request: Request) -> dict[str, Any]:
    """Replace what the CRM says about an account; creates the account."""
    from healthscore.api import schemas  # noqa: PLC0415  (see above)

    query.only(request)
    facts = schemas.read_crm(request.json(), request.received_at)
    return account_document(accounts.save_crm(request.params["account_id"], facts))


@router.route("GET /v1/settings")
def get_settings(request: Request) -> dict[str, Any]:
    """The workspace's settings and their version."""
    query.only(request)
    return _document(workspace.settings())


@router.route("PUT /v1/settings")
def put_settings(request: Request) -> dict[str, Any]:
    """Replace the workspace's settings as a whole; the version before is kept."""
    from healthscore.api import schemas  # noqa: PLC0415  (see above)

    query.only(request)
    settings = schemas.read_settings(request.json())
    try:
        return _document(workspace.save_settings(settings, request.received_at))
    except TimezoneFixedError as error:
        raise ApiError(
            HTTPStatus.CONFLICT,
            "timezone_fixed",
            f"The time zone cannot change from {error} to {settings.timezone} any more: events are stored by its "
            "calendar days. Send the settings with the time zone as it is. Nothing was changed.",
        ) from None


def _document(stored: StoredSettings) -> dict[str, Any]:
    return {"version": stored.version, "settings": stored.settings.to_json()}


startup.complete()
