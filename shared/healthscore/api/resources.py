"""The resources of the API: each is a module of this package that declares its routes.

A new one is named here, and in the handler of the function that answers it (`functions/*/handler.py`).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from healthscore.http.route import Route

if TYPE_CHECKING:
    from types import ModuleType

RESOURCES = (
    "events",
    "segment_com",
    "browser_clients",
    "health",
    "early_warning",
    "accounts",
    "book",
    "book_parts",
    "summary",
    "nights",
    "export",
    "erasure",
    "merging",
    "alerts",
    "crm",
    "crm_webhook",
    "settings",
    "identity",
    "docs",
)
"""In the order in which the API's description shows them."""


def routes_of(*resources: ModuleType) -> tuple[Route, ...]:
    """The routes that modules declare, in the order in which they declare them."""
    return tuple(value for module in resources for value in vars(module).values() if isinstance(value, Route))


@cache
def all_routes() -> tuple[Route, ...]:
    """Every route of the API.

    It imports every resource, so a function asks for it only where a request fits none of its own routes. It imports
    them by their names: tests that compare a function with its environment follow its imports, and these are not its
    own.
    """
    return routes_of(*(import_module(f"{__package__}.{name}") for name in RESOURCES))
