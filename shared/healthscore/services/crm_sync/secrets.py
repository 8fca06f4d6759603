"""The tokens and webhook secrets of connected CRMs; the only module that calls Secrets Manager."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from healthscore import process
from healthscore.integrations.crm.registry import secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

KEPT = timedelta(minutes=5)
"""How long a process uses a webhook secret before it reads it again."""
RENEWED_AFTER = timedelta(seconds=30)
"""The least time between two readings for signatures that do not match: a forged webhook must not cost a call each."""

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@process.once
def _secretsmanager() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    return boto3.client("secretsmanager", config=_CONFIG)


def secrets(provider: str) -> dict[str, str]:
    """Read the secret of a CRM: `token`, `webhook_secret`, and perhaps `url`.

    It is read at each call, so that a new token needs no deployment.

    Raises:
        ValueError: the secret is not of the form that docs/crm.md describes.
    """
    answer = _secretsmanager().get_secret_value(SecretId=os.environ["CRM_SECRET_ARN"])
    return secrets_of(provider, answer["SecretString"])


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
        renewed = secrets(provider).get("webhook_secret", "")
        self._kept[provider] = now, renewed
        return bool(renewed) and verify(renewed)

    def forget(self) -> None:
        """Drop all secrets: the next webhook reads its own."""
        self._kept.clear()
