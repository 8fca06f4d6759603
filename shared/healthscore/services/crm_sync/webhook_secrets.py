"""What signs the webhooks of connected CRMs: a secret apart from the tokens, which a webhook's function cannot read."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore import process
from healthscore.services.crm_sync import secret_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

KEPT = timedelta(minutes=5)
"""How long a process uses a webhook secret before it reads it again."""
RENEWED_AFTER = timedelta(seconds=30)
"""The least time between two readings for signatures that do not match: a forged webhook must not cost a call each."""


def secret_of(provider: str) -> str:
    """What signs the webhooks of a CRM; empty where nothing was put there.

    Raises:
        ValueError: the secret is not of the form that docs/crm.md describes.
    """
    return secret_store.read(os.environ["CRM_WEBHOOK_SECRET_ARN"], provider).get("webhook_secret", "")


class WebhookSecrets:
    """The secrets that webhooks are signed with: kept for `KEPT`, and read again where a signature does not match."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[datetime, str]] = {}
        process.remember(self)

    def fits(self, provider: str, now: datetime, verify: Callable[[str], bool]) -> bool:
        """Whether a webhook is signed with the CRM's secret: the kept one, or a new one.

        Args:
            provider: the CRM.
            now: the instant of the request.
            verify: whether the webhook is signed with a secret.

        Raises:
            ValueError: the secret is not of the form that docs/crm.md describes.
        """
        read_at, secret = self._kept.get(provider, (None, ""))
        if read_at is not None and now - read_at < KEPT and secret and verify(secret):
            return True
        if read_at is not None and now - read_at < RENEWED_AFTER:
            return False
        renewed = secret_of(provider)
        self._kept[provider] = now, renewed
        return bool(renewed) and verify(renewed)

    def forget(self) -> None:
        """Drop all secrets: the next webhook reads its own."""
        self._kept.clear()
