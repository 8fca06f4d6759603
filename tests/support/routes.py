"""Every route of the API by its name."""

from __future__ import annotations

from healthscore.api.resources import all_routes

ROUTES = {key: route.scope for route in all_routes() for key in route.keys}
"""The scope that each needs; None where no key is needed."""
