"""An account's profile and CRM facts.

The routes that write import the schemas when they have a body to check: Pydantic would more than double the start of a
function that only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from healthscore.api.answers import ACCOUNT_NOT_FOUND, account_not_found, account_path
from healthscore.core.documents import crm_to_json
from healthscore.core.text import listed
from healthscore.core.time import format_instant
from healthscore.http.api_keys import Scope
from healthscore.http.errors import WRONG_SCOPE, ApiError
from healthscore.http.route import route
from healthscore.storage.accounts import accounts

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.core.account import Account
    from healthscore.core.health_document import CrmFactsDocument
    from healthscore.core.json_types import BandName, Day, Instant, Money, Score
    from healthscore.http.request import Request

    class OwnDefinitions(TypedDict, total=False):
        """What the account's signals are made of, where it is otherwise than the settings say."""

        value_events: list[str]
        integrations: dict[str, list[str]]
        features: dict[str, list[str]]

    class KnownProfile(TypedDict, total=False):
        """The profile of an account, without the fields that are not known."""

        name: str
        owner: str
        owner_email: str
        plan: str
        arr: Money
        renewal_date: Day
        created_at: str
        """A day, or an instant."""
        attributes: dict[str, Any]
        champions: list[str]
        expected_cadence_days: int
        usage_mode: Literal["continuous", "periodic"]
        usage_channel: Literal["people", "api", "both"]
        signals: OwnDefinitions

    class LatestNight(TypedDict):
        """An account's newest snapshot, in short."""

        score: Score
        band: BandName
        date: Day

    class AccountDocument(TypedDict):
        """An account: what is known of it beside its live score."""

        account_id: str
        path: str
        """The account's path in this API."""
        profile: KnownProfile
        from_traits: list[str]
        """Fields of the profile that come from the traits of group calls; attributes as `attributes.<name>`."""
        crm: CrmFactsDocument | None
        """The CRM facts; null where none were ever sent."""
        since: Instant
        """Its first event, or the moment at which it was first written here."""
        latest: LatestNight | None
        """Null until a night has scored it."""


TAG = "Accounts"
OF_WORK = frozenset({"owner", "owner_email", "champions", "expected_cadence_days", "usage_mode", "usage_channel"})
"""The fields of a profile that a work key may change."""


@route("GET /v1/accounts/{account_id}", scope=Scope.READ, errors=(ACCOUNT_NOT_FOUND,))
def get_account(request: Request) -> AccountDocument:
    """An account.

    Its profile, its CRM facts and its newest night.
    """
    account = accounts.get(request.params["account_id"])
    if account is None:
        raise account_not_found(request.params["account_id"])
    return account_document(account)


@route("PUT /v1/accounts/{account_id}", scope=Scope.ADMIN, body="schemas.Profile")
def put_account(request: Request) -> AccountDocument:
    """Replace a profile.

    Replaces the whole profile: a field that is left out is gone afterwards. Creates the account. No field changes the
    standard score.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (see above)

    profile = schemas.merge_profile({}, schemas.read_profile(request.json()))
    return account_document(
        accounts.save_profile(request.params["account_id"], lambda _stored: profile, request.received_at)
    )


@route("PATCH /v1/accounts/{account_id}", scope=Scope.WORK, body="schemas.Profile", errors=(ACCOUNT_NOT_FOUND,))
def patch_account(request: Request) -> AccountDocument:
    """Change a profile.

    Changes what is sent and leaves the rest. `null` takes a field away; `attributes` are merged one by one, and null
    takes one away. A work key may change who looks after the account, its champions, and how it is used; all other
    fields need an admin key.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (see above)

    change = schemas.read_profile(request.json())
    if request.key is not None and request.key.scope == Scope.WORK and (others := sorted(change.keys() - OF_WORK)):
        raise ApiError(WRONG_SCOPE, f"A work key cannot change {listed(others)}: that needs an admin key.")
    account_id = request.params["account_id"]
    if accounts.get(account_id) is None:
        raise account_not_found(account_id)
    return account_document(
        accounts.save_profile(account_id, lambda stored: schemas.merge_profile(stored, change), request.received_at)
    )


@route("PUT /v1/accounts/{account_id}/crm", scope=Scope.ADMIN, body="schemas.Crm")
def put_crm(request: Request) -> AccountDocument:
    """Replace the CRM facts.

    Replaces the facts that were sent before; a score as of the past uses those that were known then. **A field left out
    is unknown; `null` says that there is none.** An unknown part is left out of the score, a part that is none counts
    against it. At least one field is needed. Creates the account.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (see above)

    facts = schemas.read_crm(request.json(), request.received_at)
    return account_document(accounts.save_crm(request.params["account_id"], facts))


def account_document(account: Account) -> AccountDocument:
    """An account as the API shows it."""
    latest = account.latest
    return {
        "account_id": account.account_id,
        "path": account_path(account.account_id),
        "profile": cast("KnownProfile", account.profile),
        "from_traits": list(account.from_traits),
        "crm": None if account.crm is None else cast("CrmFactsDocument", crm_to_json(account.crm)),
        "since": format_instant(account.known_since),
        "latest": None
        if latest is None
        else {"score": latest.score, "band": latest.band.value, "date": latest.day.isoformat()},
    }
