"""Handlers are loaded and invoked as Lambda does it."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.local.lambdas import FunctionError, Lambdas
from tools.local.template import Function

HANDLER = """
import os, threading
SERVICE = os.environ["POWERTOOLS_SERVICE_NAME"]
seen = []

def handler(event, context):
    if "meet" in event:
        threading.meeting.wait(timeout=10)  # put there by the test
    if event == {"fail": True}:
        raise KeyError("nothing here")
    seen.append(event)
    return {"service": SERVICE, "seen": len(seen), "name": context.function_name, "arn": context.invoked_function_arn,
            "ids": [context.aws_request_id], "left": context.get_remaining_time_in_millis(),
            "memory": context.memory_limit_in_mb}
"""


def function(logical_id, **environment):
    return Function(
        logical_id=logical_id,
        name=f"s-{logical_id}",
        arn=f"arn:s-{logical_id}",
        code=f"functions/{logical_id.lower()}/",
        handler="handler.handler",
        environment={"POWERTOOLS_SERVICE_NAME": logical_id.lower(), **environment},
        timeout=29,
        memory=512,
    )


@pytest.fixture
def lambdas(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("one", "two"):
        folder = tmp_path / "functions" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(HANDLER)
    return Lambdas({name: function(name, TABLE="t") for name in ("One", "Two")}, tmp_path)


def invoke(lambdas, name, event=None):
    return json.loads(lambdas.invoke(name, json.dumps(event or {})))


def test_invoke__context__has_the_function_and_the_time_left(lambdas):
    first, second = (invoke(lambdas, "One") for _ in range(2))
    assert (first["name"], first["arn"], first["memory"]) == ("s-One", "arn:s-One", 512)
    assert 0 < first["left"] <= 29_000
    assert first["ids"] != second["ids"]


def test_invoke__again__same_warm_module(lambdas):
    assert [invoke(lambdas, "One")["seen"] for _ in range(3)] == [1, 2, 3]


def test_invoke__two_functions__modules_and_variables_of_their_own(lambdas):
    assert [invoke(lambdas, name)["service"] for name in ("One", "Two", "One")] == ["one", "two", "one"]
    assert invoke(lambdas, "Two")["seen"] == 2


def test_invoke__at_the_same_time__each_in_an_environment_of_its_own(lambdas, monkeypatch):
    monkeypatch.setattr(threading, "meeting", threading.Barrier(2), raising=False)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda _: invoke(lambdas, "One", {"meet": True})["seen"], range(2)))
    assert together == [1, 1]
    assert invoke(lambdas, "One")["seen"] == 2


def test_invoke__handler_raises__function_error_and_the_module_stays_warm(lambdas, capsys):
    invoke(lambdas, "One")
    with pytest.raises(FunctionError, match="KeyError: 'nothing here'"):
        invoke(lambdas, "One", {"fail": True})
    assert "Traceback" in capsys.readouterr().err
    assert invoke(lambdas, "One")["seen"] == 2


def test_invoke__module_missing__function_error(tmp_path, capsys):
    with pytest.raises(FunctionError, match="FileNotFoundError"):
        Lambdas({"Gone": function("Gone")}, tmp_path).invoke("Gone", "{}")
    assert "Traceback" in capsys.readouterr().err


def test_environment__common_values__without_those_read_when_loaded(lambdas):
    assert lambdas.environment == {"TABLE": "t"}
