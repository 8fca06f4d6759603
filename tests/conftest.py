"""Fixtures for all tests: the tables of template.yaml, on the embedded DynamoDB and on DynamoDB Local, and a bucket."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from healthscore import process
from tests.support import dynamodb_local, isolation, npm
from tools.local import aws, template
from tools.local.environment import variables

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(__file__).parents[1]

# No deadline, since the time of an example depends on the machine and its load.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: a compressed body contains the time of its creation, and workers would disagree."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Clear the state that a process keeps, so that no test sees that of earlier tests."""
    process.forget()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that tried to reach another machine, even if it ignored the error."""
    ended = yield
    tried, isolation.refused[:] = [*isolation.refused], []
    if tried and item.get_closest_marker("reaches_elsewhere") is None:
        pytest.fail(f"this test tried to reach other machines: {tried}")
    return ended


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    with aws.running() as endpoint:
        yield endpoint


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
    """Fresh tables, bucket and queues of the template on the embedded AWS, without topics and secrets."""
    yield from fresh_tables(moto_endpoint, monkeypatch)
    aws.clear()


@pytest.fixture
def tables(dynamodb_endpoint: str, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh tables of the template, on each engine in turn; bucket and queues on the embedded AWS."""
    yield from fresh_tables(dynamodb_endpoint, monkeypatch, beside=moto_endpoint)


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    """The name of the dataset's bucket, which is empty. It comes with the tables, which a test asks for first."""
    if not {"moto", "tables"} & {*request.fixturenames}:
        request.getfixturevalue("moto")
    return os.environ["DATASET_BUCKET"]


def fresh_tables(endpoint: str, monkeypatch: pytest.MonkeyPatch, *, beside: str | None = None) -> Iterator[None]:
    """The tables, bucket and queues of a new stack, with the environment of its functions; deleted at the end.

    Args:
        endpoint: of DynamoDB.
        monkeypatch: sets the environment.
        beside: the endpoint of the embedded AWS, where that has no DynamoDB.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    if beside is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", beside)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", beside)
    at_once = {"MessagesPerSecond": "300"}
    stack = template.read(ROOT / "template.yaml", stack=f"test-{uuid4().hex[:12]}", parameters=at_once)
    aws.create_tables(stack.tables, expiring=False)
    for name, value in variables(stack).items():
        monkeypatch.setenv(name, value)
    process.forget()
    aws.create_queues(stack.takers)
    try:
        with aws.buckets(stack.buckets):
            yield
    finally:
        process.forget()
        aws.delete_tables(stack.tables)
