"""The tokens of connected CRMs: the only part that speaks to Secrets Manager."""

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
"""How long a process goes on with the webhook secret that it has read."""
RENEWED_AFTER = timedelta(seconds=30)
"""A secret that does not fit a signature is read anew no more often: forged webhooks must not cost a call each."""

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@process.once
def _secretsmanager() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    return boto3.client("secretsmanager", config=_CONFIG)


def secrets(provider: str) -> dict[str, str]:
    """What the secret says of a CRM, read anew each time, so that a new token needs no deployment.

    Raises:
        ValueError: the secret is not of the form that docs/crm.md describes.
    """
    answer = _secretsmanager().get_secret_value(SecretId=os.environ["CRM_SECRET_ARN"])
    return secrets_of(provider, answer["SecretString"])


class WebhookSecrets:
    """What webhooks are signed with, kept for some minutes and read anew where it does not fit any more."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[datetime, str]] = {}
        process.remember(self)

    def fits(self, provider: str, now: datetime, verify: Callable[[str], bool]) -> bool:
        """Whether a webhook is signed with the CRM's secret, be it the one that is kept or a new one.

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
        """Have the next webhook read its secret."""
        self._kept.clear()
