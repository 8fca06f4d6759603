"""Reads from template.yaml what the local stack runs: functions, routes, environment, tables, buckets, topics, CORS.

The local stack has no description of its own, so that it runs what is deployed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tools.local import cloudformation
from tools.local.routes import DEFAULT, Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_TABLE_KEYS = ("AttributeDefinitions", "KeySchema", "BillingMode")
_INDEX_KEYS = ("IndexName", "KeySchema", "Projection")


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function of the template."""

    logical_id: str
    name: str
    arn: str
    code: str
    """Its folder, relative to the template."""
    handler: str
    """`module.function` inside that folder."""
    environment: Mapping[str, str]
    timeout: int
    """Seconds."""
    memory: int
    """Megabytes."""


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table of the template."""

    name: str
    definition: Mapping[str, Any]
    """The arguments of `CreateTable`, without the name."""
    ttl_attribute: str | None


@dataclass(frozen=True, slots=True)
class Cors:
    """The CORS configuration of the HTTP API."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    max_age: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """The resources of the template that the local stack runs."""

    functions: Mapping[str, Function]
    """By logical id."""
    routes: tuple[Route, ...]
    tables: tuple[Table, ...]
    buckets: tuple[str, ...]
    """Names of the S3 buckets."""
    topics: Mapping[str, str]
    """SNS topics: name by logical id."""
    takers: Mapping[str, str]
    """Logical id of the function that takes a queue's messages, by the queue's name."""
    cors: Cors | None


def read(path: Path, *, stack: str, parameters: Mapping[str, str] | None = None) -> Stack:
    """Read a SAM template.

    Args:
        path: the template's file.
        stack: the stack's name; unnamed resources are called after it.
        parameters: values for parameters whose default is not wanted.

    Raises:
        ValueError: the template uses something that the local stack does not know.
    """
    return _Reader(_document(path.read_text(encoding="utf-8")), stack, parameters or {}).stack()


_document = lru_cache(4)(cloudformation.load)
"""A template by its text; a process reads the same one many times. It must not be changed."""


class _Reader:
    def __init__(self, document: Mapping[str, Any], stack: str, parameters: Mapping[str, str]) -> None:
        self._globals: Mapping[str, Any] = document.get("Globals", {})
        self._resources: Mapping[str, Mapping[str, Any]] = document.get("Resources", {})
        self._resolver = cloudformation.Resolver(document, stack, parameters)

    def stack(self) -> Stack:
        functions = dict(self._of_type("AWS::Serverless::Function"))
        routes = [route for name, properties in functions.items() for route in self._routes(name, properties)]
        return Stack(
            functions={name: self._function(name, properties) for name, properties in functions.items()},
            routes=tuple(routes),
            tables=tuple(self._table(name, given) for name, given in self._of_type("AWS::DynamoDB::Table")),
            buckets=tuple(self._resolver.physical_name(name) for name, _ in self._of_type("AWS::S3::Bucket")),
            topics={name: self._resolver.physical_name(name) for name, _ in self._of_type("AWS::SNS::Topic")},
            takers={queue: name for name, properties in functions.items() for queue in self._queues(properties)},
            cors=self._cors(),
        )

    def _of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, resource in self._resources.items():
            if resource["Type"] == kind and self._exists(resource):
                yield name, resource.get("Properties", {})

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self._resolver.condition(resource["Condition"])

    def _function(self, logical_id: str, properties: Mapping[str, Any]) -> Function:
        shared = self._globals.get("Function", {})
        environment = {
            **shared.get("Environment", {}).get("Variables", {}),
            **properties.get("Environment", {}).get("Variables", {}),
        }
        settings = {**shared, **properties}
        return Function(
            logical_id=logical_id,
            name=self._resolver.physical_name(logical_id),
            arn=self._resolver.arn(logical_id),
            code=settings["CodeUri"],
            handler=settings["Handler"],
            environment={name: _text(value) for name, value in self._resolver.resolve(environment).items()},
            timeout=int(self._resolver.resolve(settings.get("Timeout", 3))),
            memory=int(self._resolver.resolve(settings.get("MemorySize", 128))),
        )

    def _routes(self, logical_id: str, properties: Mapping[str, Any]) -> Iterator[Route]:
        for event in properties.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                given = self._resolver.resolve(event.get("Properties", {}))
                # SAM reads an HttpApi event without path and method as the API's catch-all route.
                yield Route(given.get("Method", "ANY").upper(), given.get("Path", DEFAULT), logical_id)

    def _queues(self, properties: Mapping[str, Any]) -> Iterator[str]:
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                yield self._resolver.resolve(event["Properties"]["Queue"]).rpartition(":")[2]

    def _table(self, logical_id: str, properties: Mapping[str, Any]) -> Table:
        given = self._resolver.resolve(properties)
        definition = {key: given[key] for key in _TABLE_KEYS if key in given}
        indexes = given.get("GlobalSecondaryIndexes", [])
        if indexes:
            definition["GlobalSecondaryIndexes"] = [{key: index[key] for key in _INDEX_KEYS} for index in indexes]
        ttl = given.get("TimeToLiveSpecification", {})
        return Table(
            name=self._resolver.physical_name(logical_id),
            definition=definition,
            ttl_attribute=ttl["AttributeName"] if ttl.get("Enabled") else None,
        )

    def _cors(self) -> Cors | None:
        apis = [properties for _, properties in self._of_type("AWS::Serverless::HttpApi")]
        apis.append(self._globals.get("HttpApi", {}))
        for properties in apis:
            given = self._resolver.resolve(properties.get("CorsConfiguration"))
            if isinstance(given, dict):
                return Cors(
                    origins=tuple(given.get("AllowOrigins", ())),
                    methods=tuple(given.get("AllowMethods", ())),
                    headers=tuple(given.get("AllowHeaders", ())),
                    expose=tuple(given.get("ExposeHeaders", ())),
                    max_age=given.get("MaxAge"),
                    credentials=bool(given.get("AllowCredentials")),
                )
        return None


def _text(value: object) -> str:
    """An environment value as CloudFormation gives it to Lambda."""
    return str(value).lower() if isinstance(value, bool) else str(value)
