"""No test reaches AWS or any other machine, whatever the developer's shell has; and none that tried to passes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from tests.support import isolation
from tools import ROOT

REAL = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.us-east-1.amazonaws.com",
    "HTTPS_PROXY": "http://proxy.example:3128",
}
"""What a developer's shell may have."""


def child(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT}"}
    environment.pop("AWS_ENDPOINT_URL")
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment | variables, capture_output=True, text=True, check=False
    )


def _udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("192.0.2.1", 9))


ATTEMPTS = {
    "TCP": lambda: socket.create_connection(("192.0.2.1", 9), timeout=1),
    "TCP without waiting": lambda: socket.socket().connect_ex(("192.0.2.1", 9)),
    "IPv6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 9)),
    "UDP": _udp,
    "a name": lambda: socket.getaddrinfo("dynamodb.us-east-1.amazonaws.com", 443),
    "a private address": lambda: socket.create_connection(("10.0.0.1", 80), timeout=1),
    "instance metadata": lambda: urllib.request.urlopen("http://169.254.169.254/latest/", timeout=1),
}


@pytest.mark.reaches_elsewhere
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_attempt__to_reach_another_machine__is_refused_and_noted(attempt):
    with pytest.raises(OSError, match="tests reach no other machine"):
        attempt()
    assert len(isolation.refused) == 1


def test_attempt__to_reach_this_machine__passes():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    assert isolation.refused == []


@pytest.mark.reaches_elsewhere
def test_client__without_any_endpoint_of_ours__does_not_reach_aws(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client = boto3.client("dynamodb")
    with pytest.raises(EndpointConnectionError):
        client.list_tables()
    assert "amazonaws.com" in isolation.refused[0]
    client.close()


@pytest.mark.parametrize("module", ["tests.conftest", "tests.faults.worker", "tests.bench.engine", "tests.night"])
def test_process__of_a_shell_with_real_credentials__has_none_before_boto3_is_loaded(module):
    """Each program of the tests is imported as it starts; boto3 is watched for while it is."""
    program = f"""
import builtins, json, os, sys
seen, load = {{}}, builtins.__import__
def watch(name, *rest, **named):
    if name.startswith(("boto3", "botocore")) and not seen:
        seen.update({{key: value for key, value in os.environ.items() if key.startswith(("AWS_", "HTTP"))}})
    return load(name, *rest, **named)
builtins.__import__ = watch
__import__({module!r})
print(json.dumps(seen))
"""
    done = child("-c", program, **REAL)
    found = json.loads(done.stdout)
    assert found["AWS_ENDPOINT_URL"] == isolation.NOBODY
    assert found["AWS_ACCESS_KEY_ID"] == "local"
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB"}.isdisjoint(found)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("http://127.0.0.1:4000", True), ("http://localhost:4000", True), ("https://dynamodb.amazonaws.com", False)],
)
def test_process__that_a_test_starts__goes_on_with_an_endpoint_of_this_machine_alone(given, kept):
    done = child("-c", "import tests, os; print(os.environ['AWS_ENDPOINT_URL'])", AWS_ENDPOINT_URL=given)
    assert done.stdout.strip() == (given if kept else isolation.NOBODY)


SWALLOWS = """
import socket

def test_that_takes_it_for_a_failure_of_the_network():
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=1)
    except OSError:
        pass
"""


def test_test__whose_code_swallows_the_refusal__fails_all_the_same(tmp_path):
    (tmp_path / "test_swallows.py").write_text(SWALLOWS)
    done = child("-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-n0", "--no-cov", str(tmp_path))
    assert done.returncode == 1, done.stdout
    assert "this test tried to reach other machines: ['socket.getaddrinfo 192.0.2.1']" in done.stdout
