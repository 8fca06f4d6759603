"""The template and the functions' code agree: handlers, environment, routes."""

from __future__ import annotations

import ast
import importlib.util
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from healthscore.api.resources import all_routes
from healthscore.http.api_keys import Scope, key_hash
from healthscore.storage.workspace import ApiKey
from tests.support.gateway import gateway_event
from tests.template import codebase
from tests.template.conftest import ROOT
from tools.local.routes import ANY, DEFAULT, match

if TYPE_CHECKING:
    from types import ModuleType

    from tools.local.template import Function

NAMES = (
    "IngestFunction",
    "ScoreFunction",
    "ApiFunction",
    "InsightsFunction",
    "NightlyFunction",
    "CrmSyncFunction",
    "CrmWebhookFunction",
    "CrmRefreshFunction",
    "EraseDatasetFunction",
)
MOST_EVENTS = 40
READER = ApiKey(key_hash("reader"), Scope.READ, "reader", datetime(2026, 11, 21, tzinfo=UTC), "ader")


def load(function: Function) -> ModuleType:
    module, _, _ = function.handler.rpartition(".")
    path = ROOT / function.code / f"{module}.py"
    spec = importlib.util.spec_from_file_location(f"handler_of_{function.logical_id}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_functions__are__those_tested_here(stack):
    assert tuple(stack.functions) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_handler__loads__without_an_environment(stack, name, monkeypatch):
    """An error in the environment leads to an error answer and a log line, not to a function that does not start."""
    for variable in stack.functions[name].environment:
        monkeypatch.delenv(variable, raising=False)
    assert callable(load(stack.functions[name]).handler)


@pytest.mark.parametrize("name", NAMES)
def test_handler__starts__between_the_two_ends_of_startup(stack, name):
    """Importing `startup` is the first, and calling it the last statement that uses the library."""
    program = ast.parse((ROOT / stack.functions[name].code / "handler.py").read_text())
    imports = [ast.unparse(line) for line in program.body if isinstance(line, ast.ImportFrom)]
    assert next(line for line in imports if "healthscore" in line) == "from healthscore import startup"
    assert ast.unparse(program.body[-1]) == "startup.complete()"


@pytest.mark.parametrize("name", NAMES)
def test_environment__holds__what_the_code_reads_and_no_more(stack, name):
    function = stack.functions[name]
    assert set(function.environment) == codebase.variables_of(ROOT / function.code / "handler.py")


def test_routes__end__without_a_slash(stack):
    """CloudFormation deploys no route that ends in a slash."""
    assert [route.key for route in stack.routes if route.path.endswith("/")] == []


def test_routes__lead__to_one_function_each(stack):
    keys = [route.key for route in stack.routes]
    assert len(set(keys)) == len(keys)
    assert {route.function for route in stack.routes} <= set(stack.functions)


def test_routes__of_any_method__share_their_path_with_no_other_function(stack):
    """`sam local` sends every request of a path to its `ANY` route, even where another route names the method.

    API Gateway prefers the route with the method. With a route per method both do the same.
    """
    paths = {route: re.sub(r"\{\w+", "{", route.path) for route in stack.routes if route.path != DEFAULT}
    owners = {path: route.function for route, path in paths.items() if route.method == ANY}
    hidden = [route.key for route, path in paths.items() if owners.get(path, route.function) != route.function]
    assert hidden == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/v1/settings", "/v1/events", "/v1/batch", "/v1/nowhere/at/all", "/v1/", "/nowhere"])
def test_api__sends__what_no_other_function_takes_to_the_one_that_answers_in_our_own_words(stack, method, path):
    assert match(stack.routes, method, path).route.function == "ApiFunction"


def test_routes__include__a_catch_all(stack):
    """Without it the gateway answers an unknown path itself, in another format."""
    assert [route.function for route in stack.routes if route.path == DEFAULT] == ["ApiFunction"]


def test_api__is__on_the_default_stage(resources):
    """The name of any other stage becomes part of the path, which some clients drop."""
    assert resources["Api"]["Properties"]["StageName"] == "$default"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("key", "route"), [(key, route) for route in all_routes() for key in route.keys])
def test_api__sends__each_request_to_a_function_that_answers_it(stack, key, route, slash):
    method, _, path = key.partition(" ")
    found = match(stack.routes, method, path.replace("{account_id}", "acme") + slash)
    assert found is not None
    router: Any = load(stack.functions[found.route.function]).router
    if route in router.routes:
        return
    # With a slash, the gateway may choose another function, which sends the client to the path without it.
    assert slash
    assert method == "GET"
    answer = router.handle(gateway_event("GET", path + slash, key="reader", query={"q": "ä"}), None, lambda _: READER)
    assert (answer["statusCode"], answer["headers"]["Location"]) == (308, f"{path}?q=%C3%A4")


@pytest.mark.parametrize("name", NAMES)
def test_function__has__few_enough_events_for_its_policy(stack, name):
    """SAM adds a permission to the function's own policy for each, and a policy may have 20 KB."""
    events = [route for route in stack.routes if route.function == name]
    assert len(events) <= MOST_EVENTS


def test_function_api__of_each_prefix_that_takes_a_post__has_a_route_beside_the_greedy_one_of_ingest(stack):
    """`POST /v1/{proxy+}` belongs to the function that takes events, and would get these requests as well."""
    api: Any = load(stack.functions["ApiFunction"]).router
    posts = {key.split("/")[2] for route in api.routes for key in route.keys if key.startswith("POST ")}
    named = {
        route.path.split("/")[2] for route in stack.routes if route.function == "ApiFunction" and route.method == "POST"
    }
    assert posts
    assert posts <= named
