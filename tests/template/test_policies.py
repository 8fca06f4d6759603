"""Each function may do what its code does, and nothing else."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from healthscore.http.keys import Scope
from healthscore.storage import accounts, daylogs
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.sealed import SealedCache
from tests.template.calls import Calls, Permission
from tests.template.conftest import ROOT
from tools import keys
from tools.local.gateway import Gateway
from tools.local.lambdas import FunctionError, Lambdas
from tools.local.web import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from healthscore.core.model import Snapshot
    from healthscore.storage.accounts import Account
    from tools.local.template import Stack

ADMIN_KEY = "admin-key"


def allowed(properties: dict[str, Any]) -> set[Permission]:
    """What a function's policies let it do, each action with the resource it may be done to."""
    statements = [statement for policy in properties["Policies"] for statement in policy["Statement"]]
    return {(action, _named(statement["Resource"])) for statement in statements for action in statement["Action"]}


def _named(resource: Any) -> str:
    match resource:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "").replace(".Arn}", "")
    raise AssertionError(f"not an exact resource: {resource}")


def test_policies__name__exact_actions_and_resources(functions, resources):
    for name, properties in functions.items():
        for policy in properties["Policies"]:
            assert set(policy) == {"Version", "Statement"}, f"{name}: SAM's policy templates allow more than is used"
            for statement in policy["Statement"]:
                assert statement["Effect"] == "Allow", name
                assert "*" not in json.dumps(statement), name
        for _, resource in allowed(properties):
            table, _, index = resource.partition("/index/")
            indexes = resources[table]["Properties"].get("GlobalSecondaryIndexes", [])
            assert not index or index in {given["IndexName"] for given in indexes}, name


class Workspace:
    """The product on empty tables, with the calls of its functions noted."""

    def __init__(self, stack: Stack, calls: Calls) -> None:
        self.calls = calls
        self.invoke = calls.by(Lambdas(stack.functions, ROOT).invoke)
        self._gateway = Gateway(stack.routes, None, self.invoke)

    def request(self, method: str, target: str, body: object = None) -> None:
        headers = (("authorization", f"Bearer {ADMIN_KEY}"), ("content-type", "application/json"))
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self._gateway.answer(Request(method, target, headers, sent))
        assert answer.status == 200, answer.body

    def events(self, first: int, count: int, day: datetime) -> None:
        """Report events of acme, from the day's first second on, a minute apart."""
        times = [day + timedelta(seconds=1, minutes=number) for number in range(first, first + count)]
        events = [{"account_id": "acme", "name": "seen", "user_id": "ada", "timestamp": at.isoformat()} for at in times]
        self.request("POST", "/v1/events", {"events": events})

    def night(self, event: dict[str, str]) -> None:
        self.invoke("NightlyFunction", json.dumps(event))


@pytest.fixture
def workspace(stack, topic_arn) -> Iterator[Workspace]:
    tables = ("Accounts", "Activity", "History", "Settings")
    logical_ids = {os.environ[f"{table.upper()}_TABLE"]: f"{table}Table" for table in tables}
    calls = Calls(logical_ids | {topic_arn: "AlertsTopic"})
    with calls.noted():
        keys.add(ADMIN_KEY, Scope.ADMIN, "test", datetime.now(UTC))
        yield Workspace(stack, calls)


def live(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace's life in short, with the accidents in which the code makes calls that it makes at no other time."""
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    noon = (yesterday + timedelta(hours=12)).isoformat().replace("+00:00", "Z")
    workspace.request("PUT", "/v1/settings", {"timezone": "UTC", "milestones": ["seen"]})
    workspace.events(0, 1000, yesterday)
    monkeypatch.setattr(daylogs, "_sealed_parts", SealedCache())  # as in another process: what is sealed is read again
    workspace.events(1000, 5, yesterday)
    workspace.request("PUT", "/v1/accounts/acme", {"name": "Acme", "owner": "Kim"})
    workspace.request("PUT", "/v1/accounts/acme/crm", {"open_tickets": 0})
    for view in ("", "/history", f"/health?as_of={noon}"):
        workspace.request("GET", f"/v1/accounts/acme{view}")

    with monkeypatch.context() as accident:
        accident.setattr(accounts, "save_score", _unavailable)
        with pytest.raises(FunctionError):
            workspace.night({"time": noon})
    with monkeypatch.context() as accident:
        accident.setattr(accounts, "save_score", partial(_overtaken, accounts.save_score))
        workspace.night({"time": noon})
    workspace.night({"task": "outbox"})
    workspace.night({"date": (yesterday - timedelta(days=1)).date().isoformat()})


def _unavailable(*_: object) -> None:
    raise StorageUnavailableError("gone for a moment")


def _overtaken(save: Callable[[Account, Snapshot], None], account: Account, snapshot: Snapshot) -> None:
    """Save a score on what the account's item said before somebody else changed it."""
    before = replace(snapshot.daily, day=snapshot.day - timedelta(days=3))
    save(replace(account, recent=(before,)), snapshot)


@pytest.fixture
def made(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, set[Permission]]:
    """What the functions did to the tables and the topic, by function."""
    live(workspace, monkeypatch)
    return workspace.calls.made


def test_policies__allow__each_function_exactly_what_it_does(functions, made):
    assert made == {name: allowed(properties) for name, properties in functions.items()}
