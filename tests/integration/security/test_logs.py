"""What is logged tells what happened, and nothing of what customers sent, whatever went wrong."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta

import pytest

from healthscore.services.nightly import account as night_account
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.errors import StorageUnavailableError
from tests.integration.security.conftest import NOW, PARAMETER
from tests.support.routes import ROUTES
from tools.local.lambdas import FunctionError

MARK = "M4RK"
YESTERDAY = (NOW - timedelta(days=1)).strftime("%Y-%m-%dT12:00:00Z")
EVENT = {
    "account_id": f"{MARK}-account",
    "event_id": f"{MARK}-event",
    "name": f"{MARK}-name",
    "user_id": f"{MARK}-user",
    "session_id": f"{MARK}-session",
    "timestamp": YESTERDAY,
    "properties": {f"{MARK}-property": f"{MARK}-value"},
}
PROFILE = {"name": f"{MARK} Inc", "owner": f"{MARK} Lee", "attributes": {f"{MARK}-a": f"{MARK}-b"}}


class Log:
    """Everything that the functions' loggers wrote, as CloudWatch would get it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def last(self) -> dict:
        return self.lines[-1]


@pytest.fixture
def log(api, monkeypatch):
    """What the functions log. Loggers outlive a test, so an earlier one may have left them at another level."""
    log, levels = Log(), {}
    for route in ROUTES:  # so that every function is loaded, and its logger there
        api.call(route)
    api.lambdas.invoke("NightlyFunction", json.dumps({"task": "outbox"}))
    for name in api.stack.functions:
        logger = logging.getLogger(api.stack.functions[name].environment["POWERTOOLS_SERVICE_NAME"])
        levels[logger] = logger.level
        logger.setLevel(logging.INFO)
        for handler in logger.handlers:
            monkeypatch.setattr(handler, "stream", log.stream)
    yield log
    for logger, level in levels.items():
        logger.setLevel(level)


def fails(error):
    def failing(*_arguments, **_options):
        raise error

    return failing


def requests():
    """Requests of every kind, good and bad, each full of marks."""
    yield "POST", "/v1/events", {"events": [EVENT]}
    yield "POST", "/v1/events", {"events": [EVENT | {MARK: 1}]}
    yield "POST", "/v1/events", {"events": [EVENT | {"timestamp": MARK}]}
    yield "POST", "/v1/events", MARK.encode()
    yield "PUT", f"/v1/accounts/{MARK}-account", PROFILE
    yield "PUT", f"/v1/accounts/{MARK}-account", {"name": 1, MARK: MARK}
    yield "PUT", f"/v1/accounts/{MARK}-account/crm", {"provider": MARK, "open_tickets": 1}
    yield "PUT", "/v1/settings", {"milestones": [f"{MARK}-name"]}
    yield "PUT", "/v1/settings", {"timezone": MARK}
    yield "GET", f"/v1/accounts/{MARK}-account", b""
    yield "GET", f"/v1/accounts/{MARK}-account/health", b""
    yield "GET", f"/v1/accounts/{MARK}-account/health?as_of={MARK}", b""
    yield "GET", f"/v1/accounts/{MARK}-account/history?{MARK}={MARK}", b""
    yield "GET", f"/v1/accounts/{MARK}-unknown/health", b""
    yield "GET", f"/{MARK}", b""
    yield "DELETE", f"/v1/{MARK}", b""
    for route in ROUTES:
        method, _, path = route.partition(" ")
        yield method, PARAMETER.sub(f"{MARK}-x", path), b"" if method in {"GET", "DELETE"} else {MARK: MARK}


def send_all(api) -> list[int]:
    statuses = []
    for authorization in ("Bearer the-admin-key", f"Bearer {MARK}-key", f"Digest {MARK}"):
        for method, target, body in requests():
            answer = api.ask(method, target, body, authorization=authorization, user_agent=MARK, x_other=MARK)
            statuses.append(answer.status)
    return statuses


def test_requests__good_and_bad__log_no_contents_ids_or_keys(api, log):
    statuses = send_all(api)
    assert {200, 400, 401, 404} <= set(statuses)
    assert len(log.lines) == len(statuses)
    assert MARK not in log.stream.getvalue()
    assert "the-admin-key" not in log.stream.getvalue()


@pytest.mark.parametrize("error", [ValueError(MARK), KeyError(MARK), StorageUnavailableError(MARK)])
def test_requests__that_fail_inside__log_where_and_not_what(api, log, monkeypatch, error):
    for module, name in ((daylogs, "commit"), (accounts, "get"), (accounts, "save_profile"), (accounts, "save_crm")):
        monkeypatch.setattr(module, name, fails(error))
    for name in ("settings", "save_settings"):
        monkeypatch.setattr(workspace, name, fails(error))
    statuses = send_all(api)
    assert statuses.count(503 if isinstance(error, StorageUnavailableError) else 500) > 5
    assert MARK not in log.stream.getvalue()
    failed = [line for line in log.lines if line["level"] == "ERROR"]
    assert {line["error"] for line in failed} == {type(error).__name__}
    assert all(line["stack"] for line in failed)


def test_request__logged__under_the_id_that_the_answer_carries(api, log):
    answer = api.ask("GET", "/v1/settings", authorization="Bearer nobody")
    assert log.last()["correlation_id"] == json.loads(answer.body)["request_id"]


def test_night__alerted_and_failed__logs_no_contents(api, log, monkeypatch):
    api.ask("POST", "/v1/events", {"events": [EVENT | {"account_id": "acme"}]}, authorization="Bearer the-admin-key")
    api.ask("PUT", "/v1/accounts/acme", PROFILE, authorization="Bearer the-admin-key")
    api.lambdas.invoke("NightlyFunction", json.dumps({"time": YESTERDAY}))
    with monkeypatch.context() as accident:
        accident.setattr(night_account, "gather_facts", fails(ValueError(MARK)))
        with pytest.raises(FunctionError):
            api.lambdas.invoke("NightlyFunction", "{}")
    assert [line["account_id"] for line in log.lines if line["level"] == "ERROR"] == ["acme"]
    assert MARK not in log.stream.getvalue()


def test_night__all_its_lines__share_a_correlation_id_of_day_and_invocation(api, log, monkeypatch):
    for account in ("acme", "globex"):
        api.ask(
            "POST", "/v1/events", {"events": [EVENT | {"account_id": account}]}, authorization="Bearer the-write-key"
        )
    before = len(log.lines)
    with monkeypatch.context() as accident:
        accident.setattr(night_account, "gather_facts", fails(ValueError))
        with pytest.raises(FunctionError):
            api.lambdas.invoke("NightlyFunction", json.dumps({"time": YESTERDAY}))
    ids = [line["correlation_id"] for line in log.lines[before:]]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert ids[0].startswith(f"{YESTERDAY[:10]}/")


def test_counted__events_views_and_nights__ride_on_the_lines(api, log):
    for _ in range(2):
        body = {"events": [EVENT | {"account_id": "acme"}, {"account_id": "acme"}]}
        api.ask("POST", "/v1/events", body, authorization="Bearer the-write-key")
    counts = [tuple(line[f"Events{kind}"] for kind in ("Accepted", "Duplicate", "Rejected")) for line in log.lines]
    assert counts == [(1, 0, 1), (0, 1, 1)]
    api.ask("POST", "/v1/events", {"events": [{}, {}]}, authorization="Bearer the-write-key")
    assert log.last()["EventsRejected"] == 2
    api.ask("GET", "/v1/accounts/acme/health", authorization="Bearer the-read-key")
    assert log.last()["ScoreViews"] == 1
    api.lambdas.invoke("NightlyFunction", json.dumps({"time": YESTERDAY}))
    assert (log.last()["AccountsScored"], log.last()["NightsCompleted"], log.last()["MessagesSent"]) == (1, 1, 1)
    assert {line["FunctionName"] for line in log.lines} == {
        api.stack.functions[name].name for name in ("IngestFunction", "ScoreFunction", "NightlyFunction")
    }
