"""Keeps what people know and choose: profiles, CRM facts, settings. Also answers whatever no other function does."""

from __future__ import annotations

from typing import Any

from healthscore import startup  # isort: split

from healthscore.api import (
    accounts,
    alerts,
    browser_clients,
    crm,
    docs,
    erasure,
    identity,
    merging,
    settings,
)
from healthscore.api.resources import all_routes, routes_of
from healthscore.http.api_keys import CachedKeys
from healthscore.http.router import Router
from healthscore.storage import workspace

router = Router(
    routes_of(browser_clients, accounts, alerts, crm, erasure, merging, settings, identity, docs),
    all_routes,
)
find_key = CachedKeys(workspace.find_key)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, find_key)


startup.complete()
