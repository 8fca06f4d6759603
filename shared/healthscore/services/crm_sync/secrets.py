"""The tokens of connected CRMs."""

from __future__ import annotations

import os

from healthscore.services.crm_sync import secret_store


def secrets(provider: str) -> dict[str, str]:
    """Read the secret of a CRM: `token`, and perhaps `url`.

    It is read at each call, so that a new token needs no deployment.

    Raises:
        ValueError: the secret is not of the form that docs/crm.md describes.
    """
    return secret_store.read(os.environ["CRM_SECRET_ARN"], provider)
