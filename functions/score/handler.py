"""Answers what a customer's page shows: the live score, its nights, the risk, profile and alerts."""

from __future__ import annotations

from typing import Any

from healthscore import startup  # isort: split

from healthscore.api import accounts, alerts, early_warning, health
from healthscore.api.resources import all_routes, routes_of
from healthscore.http.api_keys import CachedKeys
from healthscore.http.router import Router
from healthscore.storage import workspace

router = Router([*routes_of(health, early_warning), accounts.get_account, alerts.list_account_alerts], all_routes)
find_key = CachedKeys(workspace.find_key)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, find_key)


startup.complete()
