"""The tokens of connected CRMs: the only part that speaks to Secrets Manager."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from healthscore.crm.registry import secrets_of

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def _secretsmanager() -> Any:  # noqa: ANN401  (boto3's, whose types come by service)
    return boto3.client("secretsmanager", config=_CONFIG)


def secrets(provider: str) -> dict[str, str]:
    """What the secret says of a CRM, read anew each time, so that a new token needs no deployment.

    Raises:
        ValueError: the secret is not of the form that docs/crm.md describes.
    """
    answer = _secretsmanager().get_secret_value(SecretId=os.environ["CRM_SECRET_ARN"])
    return secrets_of(provider, answer["SecretString"])
