"""docs/development.md is followed line by line in Docker, and every command of it does what the page says.

`make sam-local-check` runs it; it is no part of other runs, since it takes minutes, and CI has no Docker.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime

import pytest

from tests.support import node_packages
from tests.support.clients import Client
from tests.support.sam_local import NEEDS_DOCKER, PLAIN, Running, commands_of, containers

pytestmark = NEEDS_DOCKER

EVENTS = 10
CLIENTS = [
    ("segment_python.py", "plain"),
    ("segment_python.py", "gzip"),
    ("segment_node.cjs", "plain"),
    ("rudder_node.cjs", "gzip"),
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The page's first part; in the end it stops as by Ctrl-C, and leaves no container behind."""
    before = containers()
    running = Running(commands_of(PLAIN)[0], tmp_path_factory.mktemp("plain") / "log.txt")
    running.wait_for("Running on http")
    yield running
    running.stop()
    assert containers() == before


def test_commands__of_the_first_part__do_what_the_page_says(plain):
    _, send, read, night, outbox, track, *samples = commands_of(PLAIN)
    assert json.loads(plain.follow(send)) == {"success": True, "accepted": 1, "duplicates": 0, "rejected": []}
    assert json.loads(plain.follow(read))["components"]["activity"]["facts"]["events"] == 1
    scored = plain.invoke(night)
    assert (scored["scored"], scored["sent"], scored["left"]) == (1, 1, [])
    assert "1 account" in plain.follow(outbox)
    assert json.loads(plain.follow(track))["accepted"] == 1
    assert plain.events_of("acme") == 2
    results = {re.search(r"events/(\S+)\.json", command).group(1): plain.invoke(command) for command in samples}
    for name in [name for name in results if not name.startswith(("nightly", "erase_dataset"))]:
        assert results[name]["statusCode"] == 200, (name, results[name])
    assert json.loads(results["ingest"]["body"])["accepted"] == 5
    assert json.loads(results["score"]["body"])["components"]["activity"]["facts"]["events"] == 3
    assert results["nightly-backfill"]["scored"] > 0
    assert results["nightly-outbox"]["left"] == []
    assert len(results["erase_dataset"]["batchItemFailures"]) == 1


@pytest.mark.parametrize(("program", "compression"), CLIENTS, ids=["-".join(client) for client in CLIENTS])
def test_client__of_a_vendor__sends_events_that_count(plain, program, compression):
    if program.endswith("cjs"):
        node_packages.need()
    client = Client(program, compression)
    assert client.run(f"http://127.0.0.1:{plain.port}", EVENTS) == 0
    assert plain.events_of(f"{client.world}-0") == EVENTS


def test_body__in_gzip__is_taken(plain):
    event = {"account_id": "zipped", "name": "seen", "timestamp": datetime.now(UTC).isoformat()}
    body = gzip.compress(json.dumps({"events": [event]}).encode())
    headers = {"Authorization": "Bearer local-write", "Content_Type": "application/json", "Content_Encoding": "gzip"}
    status, answer = plain.request("POST", "/v1/events", body, **headers)
    assert (status, json.loads(answer)["accepted"]) == (200, 1)


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere", "/v1/accounts/acme/nowhere"])
def test_path__unknown__gets_our_own_404(plain, path):
    status, answer = plain.request("GET", path)
    assert (status, json.loads(answer)["code"]) == (404, "not_found")


def test_method__unknown__gets_our_own_405_but_for_two(plain):
    for method, path in [("POST", "/v1/settings"), ("PATCH", "/v1/settings"), ("PUT", "/v1/events")]:
        status, answer = plain.request(method, path)
        assert (status, json.loads(answer)["code"]) == (405, "method_not_allowed"), (method, path)
    assert plain.request("HEAD", "/v1/settings") == (502, b"")
    assert plain.request("OPTIONS", "/v1/settings") == (200, b"")


def test_request__id__is_the_same_for_all(plain):
    ids = {json.loads(plain.request("GET", path)[1])["request_id"] for path in ("/nowhere", "/v1/nowhere")}
    assert len(ids) == 1
