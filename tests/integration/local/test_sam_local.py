"""What `make sam-local` makes of the built template, and what of it can be seen without Docker.

With Docker, `make sam-local-check` looks at the containers themselves.
"""

from __future__ import annotations

import re
import tomllib
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from tests.support.sam_local import SECTION
from tools import ROOT
from tools.local import template
from tools.local.cloudformation import REGION
from tools.local.containers import Containers
from tools.local.lambdas import FunctionError
from tools.local.stack import CallError
from tools.local.web import Response, Server, application
from tools.sam_local import HOST, adapt

if TYPE_CHECKING:
    from pathlib import Path

HERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4000", "AWS_ACCESS_KEY_ID": "local"}


@pytest.fixture(scope="module")
def functions():
    return template.read(ROOT / "template.yaml", stack="test").functions


def variables(functions, here):
    document = adapt((ROOT / "template.yaml").read_text(encoding="utf-8"), functions, here, "x86_64")
    assert "Environment" not in document["Globals"]["Function"]
    return {name: document["Resources"][name]["Properties"]["Environment"]["Variables"] for name in functions}


def test_adapt__every_function__gets_its_variables_as_plain_text(functions):
    for name, given in variables(functions, HERE).items():
        assert all(isinstance(value, str) for value in given.values()), name
        assert functions[name].environment.items() <= given.items(), name


def test_adapt__endpoint_on_this_machine__is_called_by_the_name_that_containers_know(functions):
    for given in variables(functions, HERE).values():
        assert given["AWS_ENDPOINT_URL"] == "http://host.docker.internal:4000"


def test_adapt__endpoint_elsewhere__stays_as_it_is(functions):
    here = HERE | {"AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.example:8000"}
    for given in variables(functions, here).values():
        assert given["AWS_ENDPOINT_URL_DYNAMODB"] == "http://dynamodb.example:8000"


def test_adapt__credentials__are_left_to_the_sam_cli(functions):
    assert all("AWS_ACCESS_KEY_ID" not in given for given in variables(functions, HERE).values())


def test_adapt__bodies__come_as_the_gateway_sends_what_is_compressed(functions):
    document = adapt((ROOT / "template.yaml").read_text(encoding="utf-8"), functions, HERE, "x86_64")
    body = document["Resources"]["Api"]["Properties"]["DefinitionBody"]
    assert body["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    assert body["paths"] == {}, "the functions' own events are the routes"


def test_adapt__architecture__is_what_was_built(functions):
    document = adapt((ROOT / "template.yaml").read_text(encoding="utf-8"), functions, HERE, "x86_64")
    assert document["Parameters"]["Architecture"]["Default"] == "x86_64"


def test_samconfig__of_local_invoke__leads_where_make_sam_local_writes():
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    build = re.search(r"^BUILD \?= (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    assert settings["default"]["local_invoke"]["parameters"] == {
        "template_file": f"{build}/local.json",
        "add_host": f"{HOST}:host-gateway",
        "region": REGION,
        "skip_pull_image": True,
    }


def test_page__invokes__every_sample_event():
    shown = re.findall(r"--event (events/\S+)", SECTION)
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "events").iterdir()} == set(shown)


def invoked(tmp_path: Path, program: str, event: str = "{}") -> str:
    """What `Containers` makes of what a program prints in place of the SAM CLI."""
    sam = tmp_path / "sam"
    sam.write_text(f"#!/bin/sh\n{program}\n")
    sam.chmod(0o755)
    return Containers("", [str(sam)], {}, {}).invoke("NightlyFunction", event)


def test_invoke__result__is_what_the_function_gave(tmp_path):
    assert invoked(tmp_path, "echo log >&2; echo; cat", '{"a": 1}') == '{"a": 1}'


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("""echo '{"errorType": "ValueError", "errorMessage": "no day"}'""", "ValueError: no day"),
        ("echo 'started' >&2; echo 'Function timed out' >&2", "^Function timed out$"),
        ("true", "no answer"),
    ],
)
def test_invoke__function_failed_though_the_status_is_0__raises(tmp_path, program, reason):
    with pytest.raises(FunctionError, match=reason):
        invoked(tmp_path, program)


@pytest.fixture
def containers():
    answers = {"/healthz": Response(HTTPStatus.OK, b'{"status": "ok"}')}
    refused = Response(HTTPStatus.NOT_FOUND, b"{}")
    server = Server(application(lambda request: answers.get(request.target, refused), max_body=1, too_large=refused))
    server.start()
    yield Containers(f"http://127.0.0.1:{server.port}", [], {}, {})
    server.stop()


def test_wait__api_answers__goes_on(containers):
    assert containers.wait(lambda: True)


def test_wait__api_ended__says_so(containers):
    assert not containers.wait(lambda: False)


def test_call__answer__is_its_json_or_an_error(containers):
    assert containers.call("GET", "/healthz") == {"status": "ok"}
    with pytest.raises(CallError, match="GET /nowhere was answered 404"):
        containers.call("GET", "/nowhere")
