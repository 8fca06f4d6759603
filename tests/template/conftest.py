"""The template for tests: with intrinsic functions in their long form, and unresolved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from tools.local import cloudformation, template

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    return cloudformation.load((ROOT / "template.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def resources(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return document["Resources"]


@pytest.fixture(scope="session")
def functions(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The functions' properties, with those from Globals."""
    shared = document["Globals"]["Function"]
    return {
        name: {
            **shared,
            **properties,
            "LoggingConfig": {**shared["LoggingConfig"], **properties["LoggingConfig"]},
        }
        for name, properties in of_type(document["Resources"], "AWS::Serverless::Function").items()
    }


@pytest.fixture(scope="session")
def stack() -> template.Stack:
    """The template as the local stack reads it."""
    return template.read(ROOT / "template.yaml", stack="test")


@pytest.fixture
def topic_arn(moto: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic, named in the nightly function's environment."""
    sns = boto3.client("sns")
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    sns.close()
    monkeypatch.setenv("ALERTS_TOPIC_ARN", arn)
    return arn


def of_type(resources: dict[str, dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of a type, by logical id."""
    return {name: found["Properties"] for name, found in resources.items() if found["Type"] == kind}
