"""Fixtures of every test: the tables of template.yaml, on moto and on DynamoDB Local."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from hypothesis import HealthCheck, settings

from healthscore.storage.client import dynamodb
from tests.support import dynamodb_local, npm
from tests.support.moto_in_process import moto_in_process
from tools.local import aws, template

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

# Machines differ and are shared: how long an example takes says nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: a compressed body holds the second it was made in, and workers would disagree."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    server = aws.EmbeddedAws()
    server.start()
    yield server.endpoint
    server.stop()


@pytest.fixture(scope="session")
def dynamodb_local_endpoint() -> Iterator[str]:
    npm.need("REQUIRE_DYNAMODB_LOCAL", dynamodb_local.TOOLS, dynamodb_local.FOLDER, dynamodb_local.PACKAGE)
    with dynamodb_local.running() as endpoint:
        yield endpoint


@pytest.fixture(params=["moto", pytest.param("dynamodb_local", marks=pytest.mark.dynamodb_local)])
def dynamodb_endpoint(request: pytest.FixtureRequest) -> str:
    """An endpoint of each engine in turn."""
    return request.getfixturevalue(f"{request.param}_endpoint")


@pytest.fixture
def moto(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh tables of the template on moto."""
    yield from _fresh_tables(moto_endpoint, monkeypatch)


@pytest.fixture
def tables_in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh tables of the template on moto without a server between: much faster."""
    with moto_in_process():
        yield from _fresh_tables(None, monkeypatch)


@pytest.fixture
def tables(dynamodb_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh tables of the template, on moto and on DynamoDB Local."""
    yield from _fresh_tables(dynamodb_endpoint, monkeypatch)


def _fresh_tables(endpoint: str | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    if endpoint is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    at_once = {"MessagesPerSecond": "300"}
    stack = template.read(ROOT / "template.yaml", stack=f"test-{uuid4().hex[:12]}", parameters=at_once)
    client = boto3.client("dynamodb")
    aws.create_tables(stack.tables)
    for function in stack.functions.values():
        for name, value in function.environment.items():
            monkeypatch.setenv(name, value)
    dynamodb.cache_clear()
    yield
    dynamodb().close()
    dynamodb.cache_clear()
    for table in stack.tables:
        client.delete_table(TableName=table.name)
    client.close()
