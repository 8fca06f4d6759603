"""What a newcomer gets from `make run`: a screen, keys, curl lines that work, and the whole product behind them."""

import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from healthscore.api.answers import account_path
from healthscore.core.time import format_instant
from tools import ROOT
from tools.demo.seed import NIGHTS
from tools.demo.stories import BY_SCORE

TIMEOUT_SECONDS = 60


class Running:
    """A local stack in a process of its own."""

    def __init__(self, process):
        self.process = process
        self.screen = ""
        while "Press Ctrl-C" not in self.screen:
            line = process.stdout.readline()
            assert line, f"it ended: {self.screen}"
            self.screen += line
        self.url = re.search(r"http://127\.0\.0\.1:\d+", self.screen).group()

    def call(self, method, path, key=None, body=None, **headers):
        """Status and body of an answer; JSON is read."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, sent, headers, method=method)
        if key is not None:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return read(response)
        except urllib.error.HTTPError as error:
            with error:
                return read(error)


def read(response):
    text = response.read().decode()
    return response.status, json.loads(text) if "json" in response.headers.get("Content-Type", "") else text


@contextmanager
def running(**environment):
    clean = {
        name: value for name, value in os.environ.items() if name not in ("SEED", "DYNAMODB_ENDPOINT", "LOG_LEVEL")
    }
    command = [sys.executable, "-m", "tools.local", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Running(process)
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 0, err
    assert out.rstrip().endswith("Stopped.")


@pytest.fixture(scope="module")
def stack():
    with running(SEED="none") as stack:
        yield stack


def event(account_id="acme", **fields):
    return {"account_id": account_id, "name": "report_viewed", "timestamp": format_instant(datetime.now(UTC)), **fields}


def test_healthz__no_key__answered_by_the_product(stack):
    assert stack.call("GET", "/healthz") == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz/", "/v1/settings/", "/v1/accounts/acme/health/", "/v1/events/"])
def test_path__trailing_slash__same_as_without(stack, path):
    stack.call("POST", "/v1/events", "local-write", {"events": [event(event_id="once", timestamp=now_cut())]})
    method, body = ("POST", {"events": []}) if "events" in path else ("GET", None)
    with_slash = stack.call(method, path, "local-admin", body)
    without = stack.call(method, path.rstrip("/"), "local-admin", body)
    assert with_slash[0] == without[0] != 404
    assert with_slash[1].keys() == without[1].keys()


def now_cut():
    return format_instant(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))


@pytest.mark.parametrize(
    ("key", "method", "path", "status"),
    [
        (None, "GET", "/v1/settings", 401),
        ("local-other", "GET", "/v1/settings", 401),
        ("local-read", "GET", "/v1/settings", 403),
        ("local-admin", "GET", "/v1/settings", 200),
        ("local-write", "GET", "/v1/accounts/acme/health", 403),
        ("local-read", "POST", "/v1/events", 403),
    ],
)
def test_keys__scopes__as_named(stack, key, method, path, status):
    assert stack.call(method, path, key)[0] == status


def test_events__gzip__taken_once(stack):
    body = gzip.compress(json.dumps({"events": [event("zipped", event_id="1", timestamp=now_cut())] * 2}).encode())
    status, answer = stack.call("POST", "/v1/events", "local-write", body, **{"Content-Encoding": "gzip"})
    assert (status, answer["accepted"], answer["duplicates"]) == (200, 1, 1)


def test_events__longer_than_the_gateway_takes__413(stack):
    assert stack.call("POST", "/v1/events", "local-write", b" " * (10 * 1024 * 1024 + 1))[0] == 413


@pytest.mark.parametrize("account_id", ["aws/chalice", "what?", "Zoë & Söhne", "50%", "~x", "a b"])
def test_account__id_that_a_path_cannot_hold__reached_by_its_written_form(stack, account_id):
    stack.call("POST", "/v1/events", "local-write", {"events": [event(account_id)]})
    status, health = stack.call("GET", f"{account_path(account_id)}/health", "local-read")
    assert (status, health["account_id"]) == (200, account_id)


def test_account__encoded_slash__not_found_as_behind_the_real_gateway(stack):
    stack.call("POST", "/v1/events", "local-write", {"events": [event("aws/chalice")]})
    assert stack.call("GET", "/v1/accounts/aws%2Fchalice/health", "local-read")[0] == 404


def test_unknown_path__any__error_in_the_products_shape(stack):
    status, answer = stack.call("GET", "/nothing/here")
    assert (status, answer["success"], answer["code"]) == (404, False, "not_found")


def test_nightly__not_json__says_so(stack):
    status, answer = stack.call("POST", "/_local/nightly", body=b"date")
    assert (status, answer["code"]) == (400, "invalid_json")


def test_nightly__event_it_refuses__the_functions_error(stack):
    status, answer = stack.call("POST", "/_local/nightly", body={"date": "tomorrow"})
    assert (status, answer["code"]) == (500, "function_error")
    assert "date" in answer["message"]


def test_helpers__unknown__lists_those_there_are(stack):
    status, answer = stack.call("GET", "/_local/nothing")
    assert status == 404
    assert "/_local/outbox" in answer["message"]


def test_welcome__terminal_and_browser__says_what_to_try(stack):
    status, text = stack.call("GET", "/")
    assert (status, text.strip() in stack.screen) == (200, True)
    status, page = stack.call("GET", "/", Accept="text/html,*/*")
    assert page.startswith("<!doctype html>")
    assert "/_local/nightly" in page


def test_screen__not_a_terminal__without_colour(stack):
    assert "\033" not in stack.screen


def test_start__port_in_use__says_so_and_ends(stack):
    port = stack.url.rpartition(":")[2]
    command = [sys.executable, "-m", "tools.local", "--port", port]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert ended.returncode == 1
    assert (
        ended.stderr
        == f"Port {port} cannot be used (Address already in use). Another one: make run PORT={int(port) + 1}\n"
    )


def test_start__unknown_seed__says_which_there_are():
    command = [sys.executable, "-m", "tools.local", "--port", "0"]
    environment = os.environ | {"SEED": "all"}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert (ended.returncode, ended.stderr) == (1, "SEED=all: there are demo and none.\n")


def test_start__dynamodb_out_of_reach__says_where():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "tools.local", "--port", "0"]
        environment = os.environ | {"DYNAMODB_ENDPOINT": endpoint, "AWS_MAX_ATTEMPTS": "1"}
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    assert ended.returncode == 1
    assert f"DynamoDB cannot be used at {endpoint}" in ended.stderr


def lines_of_the_readme(with_text, url):
    """The answers to the commands of the block of the README that has a text."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if with_text in block]
    for command in block.replace("http://127.0.0.1:3000", url).splitlines():
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True
        )
        yield json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the screen's commands need curl")
def test_demo__commands_of_the_screen__show_a_live_score_and_the_nights_alerts():
    with running() as stack:
        accounts = re.findall(r"^(\S.+?)  +(\d+)  (healthy|at_risk|critical)", stack.screen, re.MULTILINE)
        assert len(accounts) == 24
        summary = stack.call("GET", "/v1/summary", "local-read")[1]
        assert (summary["accounts"], sum(band["accounts"] for band in summary["bands"].values())) == (24, 24)
        assert summary["movers"]["up"]
        assert summary["movers"]["down"]
        nights = stack.call("GET", "/v1/nights", "local-read")[1]["nights"]
        assert nights[-1]["night"] == summary["date"] == stack.call("GET", "/v1/book/parts", "local-read")[1]["night"]
        assert len(nights) == 14
        commands = [line.strip() for line in stack.screen.splitlines() if line.strip().startswith("curl ")]
        sent, health, night = (
            subprocess.run(
                ["sh", "-c", command], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True
            ).stdout
            for command in commands
        )
        assert json.loads(sent) == {"success": True, "accepted": 1, "duplicates": 0, "rejected": []}
        health = json.loads(health)
        assert health["components"]["recency"]["score"] == 100
        assert len(health["recent"]) == NIGHTS + 1  # and the one that was judged before
        assert {driver["component"] for driver in health["drivers"]} >= {"recency"}
        for customer in (
            "Tidewater Hotels has been silent",
            "Vantage Retail EMEA fell",
            "Fjordline Analytics is healthy",
        ):
            assert customer in night
        messages = stack.call("GET", "/_local/outbox")[1]["messages"]
        kinds = [message["attributes"]["kind"] for message in messages]
        assert sorted(kinds) == ["band_fell", "declining", "digest", "recovered", "silent"]
        assert all(message["subject"] and message["email"] and message["sms"] for message in messages)
        decisions, signals, people = lines_of_the_readme("/decisions", stack.url)
        assert [decision["to"] for decision in decisions["decisions"]] == ["red"]
        assert decisions["decisions"][0]["reasons"][0]["detector"] == "regime_change"
        assert signals["risk"]["state"] == "red"
        assert signals["risk"]["disagrees"]
        assert [person["champion"] for person in people["people"]] == ["none", "none", "inferred"]
        for story in BY_SCORE:  # of the others, some are silent for so long that nothing moves
            health = stack.call("GET", f"{account_path(story.account_id)}/health", "local-read")[1]
            assert health["drivers"], story.account_id
        stack.call("POST", "/_local/nightly")
        assert len(stack.call("GET", "/_local/outbox")[1]["messages"]) == len(messages)
