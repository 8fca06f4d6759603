"""Answers questions about the whole workspace from the dataset: the only function of the API that has DuckDB."""

from __future__ import annotations

from typing import Any

from healthscore import startup  # isort: split

from healthscore.api import book, book_parts, export, nights, summary
from healthscore.api.resources import all_routes, routes_of
from healthscore.http.api_keys import CachedKeys
from healthscore.http.router import Router
from healthscore.services import book as _  # noqa: F401  (what it loads belongs to the cold start, not to a request)
from healthscore.storage import workspace

router = Router(routes_of(book, book_parts, export, nights, summary), all_routes)
find_key = CachedKeys(workspace.find_key)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, find_key)


startup.complete()
