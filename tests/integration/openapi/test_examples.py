"""What the description shows works when it is pasted."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from datetime import UTC, datetime

import pytest

from healthscore.http.router import ROUTES
from tests.support.openapi import check_answer, committed
from tools.openapi.record import filler, in_order
from tools.openapi.samples import LOCAL, target

PATIENCE = 60
EXAMPLES = [pytest.param(route, operation, id=route) for route, operation in in_order() if not operation.keyless]


@pytest.mark.parametrize(("route", "operation"), EXAMPLES)
def test_example__sent_as_it_stands__is_answered_as_described(stack, route, operation):
    fill = filler(datetime.now(UTC))
    body = None if operation.example is None else fill(json.dumps(operation.example)).encode()
    request = urllib.request.Request(stack.url + fill(target(route, operation)), body, method=route.partition(" ")[0])
    if ROUTES[route] is not None:
        request.add_header("Authorization", f"Bearer local-{ROUTES[route]}")
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        check_answer(route, response.status, headers, response.read().decode())
        assert response.status == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="the commands need curl")
def test_commands__pasted_into_a_shell__are_answered_as_described(stack):
    # The examples above have deleted what the last commands delete: only what can be repeated is run again.
    for route, operation in in_order():
        method, _, path = route.partition(" ")
        if method == "DELETE" or operation.keyless:
            continue
        (sample,) = committed()["paths"][path][method.lower()]["x-codeSamples"]
        command = sample["source"].replace(LOCAL, stack.url) + r" -w '\n%{http_code} %{content_type}'"
        ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=PATIENCE, check=True)
        text, _, result = ran.stdout.rpartition("\n")
        status, _, kind = result.partition(" ")
        check_answer(route, int(status), {"content-type": kind}, text)
        assert (route, status) == (route, "200")
