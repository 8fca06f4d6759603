"""Answers what a customer's page shows: the live score with its explanation, the nights before, the profile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from healthscore import startup
from healthscore.api.accounts import get_account
from healthscore.api.lists import get_account_alerts
from healthscore.core.health import document
from healthscore.core.time import day_of
from healthscore.http import query
from healthscore.http.api_keys import CachedKeys
from healthscore.http.errors import account_not_found, invalid_request
from healthscore.http.router import Router
from healthscore.metrics import Metric
from healthscore.services.scoring import assess_account
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, history

if TYPE_CHECKING:
    from healthscore.core.account import Account
    from healthscore.http.request import Request

HISTORY_DAYS = 90
"""Days of history answered where `from` is left out."""

router = Router()
find_key = CachedKeys(workspace.find_key)
router.route("GET /v1/accounts/{account_id}")(get_account)
router.route("GET /v1/accounts/{account_id}/alerts")(get_account_alerts)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, find_key)


@router.route("GET /v1/accounts/{account_id}/health")
def get_health(request: Request) -> dict[str, Any]:
    """The score as of now, or as of any past instant within retention."""
    query.only(request, "as_of")
    settings = workspace.settings().settings
    as_of = query.as_of(request, request.received_at, settings)
    answer = document(assess_account(_account(request), as_of, settings))
    request.counts[Metric.SCORE_VIEWS] = 1
    return answer


@router.route("GET /v1/accounts/{account_id}/history")
def get_history(request: Request) -> dict[str, Any]:
    """The nightly snapshots from one day to another, oldest first."""
    query.only(request, "from", "to")
    settings = workspace.settings().settings
    last = query.day(request, "to") or day_of(request.received_at, settings.zone)
    first = query.day(request, "from") or last - timedelta(days=HISTORY_DAYS - 1)
    if first > last:
        raise invalid_request(f"from {first} must not be after to {last}.")
    account = _account(request)
    return {
        "account_id": account.account_id,
        "snapshots": [
            {
                "date": snapshot.day.isoformat(),
                "score": snapshot.score,
                "band": snapshot.band.value,
                "components": {component.value: score for component, score in snapshot.components.items()},
            }
            for snapshot in history.snapshots(account.account_id, first, last)
        ],
    }


def _account(request: Request) -> Account:
    account = accounts.get(request.params["account_id"])
    if account is None:
        raise account_not_found(request.params["account_id"])
    return account


startup.complete()
