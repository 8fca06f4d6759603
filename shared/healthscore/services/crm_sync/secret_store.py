"""Secrets Manager; the only module that calls it."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from healthscore import process
from healthscore.integrations.crm.registry import secrets_of

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@process.once
def _secretsmanager() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    return boto3.client("secretsmanager", config=_CONFIG)


def read(arn: str, provider: str) -> dict[str, str]:
    """Read a CRM's part of a secret.

    Raises:
        ValueError: the secret is not of the form that docs/crm.md describes.
    """
    return secrets_of(provider, _secretsmanager().get_secret_value(SecretId=arn)["SecretString"])
