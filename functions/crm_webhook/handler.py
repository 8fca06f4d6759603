"""Takes CRM webhooks, which are authenticated by their signatures instead of API keys."""

from __future__ import annotations

from typing import Any

from healthscore import startup  # isort: split

from healthscore.api import crm_webhook
from healthscore.api.resources import all_routes, routes_of
from healthscore.http.router import Router

router = Router(routes_of(crm_webhook), all_routes)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, lambda _hash: None)


startup.complete()
