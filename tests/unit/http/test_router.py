from __future__ import annotations

import io
import json
from dataclasses import dataclass
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.time import millis
from healthscore.http.api_keys import Scope, key_hash
from healthscore.http.errors import invalid_request
from healthscore.http.query import Day
from healthscore.http.route import route
from healthscore.http.router import Router
from healthscore.metrics import Metric
from tests.support.gateway import NOW, REQUEST_ID, gateway_event


@dataclass(frozen=True)
class Key:
    hash: str
    scope: str


class BusyError(Exception):
    """Something that passes."""

    retry_after_seconds = 7


def find_key(digest: str) -> Key | None:
    return {key_hash(scope): Key(key_hash(scope), scope) for scope in ("write", "read", "admin")}.get(digest)


@route("GET /healthz", scope=None)
def get_pulse(_request):
    return {"status": "ok"}


@route("GET /v1/accounts/{account_id}", scope=Scope.READ)
def get_account(request):
    return dict(request.params)


@route("PUT /v1/settings", scope=Scope.ADMIN)
def put_settings(request):
    return {"read": request.json()}


@route("GET /v1/settings", scope=Scope.ADMIN)
def get_settings(_request):
    return {}


@route("GET /v1/accounts/{account_id}/health", scope=Scope.READ)
def get_health(_request):
    return {}


@route("POST /v1/track", "POST /v1/t", scope=Scope.WRITE, key_in_body=True, query=None)
def track(request):
    return {"read": request.parsed}


@route("GET /v1/days", scope=None, query=(Day("date", "A day."),))
def get_days(_request):
    return {}


OWN = [get_pulse, get_account, put_settings, track, get_days]
ELSEWHERE = [get_settings, get_health]


class Api:
    """A router with its log."""

    def __init__(self, *routes) -> None:
        self.log = io.StringIO()
        self.asked_for_all = 0
        self.router = Router(routes or OWN, self._all, Logger(service=f"test-{uuid4()}", stream=self.log))

    def _all(self):
        self.asked_for_all += 1
        return [*OWN, *ELSEWHERE]

    def ask(self, method, path, *, key="admin", find=find_key, **event):
        response = self.router.handle(gateway_event(method, path, key=key, **event), None, find)
        return response["statusCode"], json.loads(response["body"]), response["headers"]

    def logged(self) -> dict[str, object]:
        (line,) = self.log.getvalue().splitlines()
        return json.loads(line)


def settings_answered_by(function) -> Api:
    """An API whose settings are answered by a function of the test."""
    return Api(*(route(f"{method} /v1/settings", scope=Scope.ADMIN)(function) for method in ("GET", "PUT")))


@pytest.fixture
def api() -> Api:
    return Api()


def test_handle__known_route__answers_json_that_is_not_to_be_stored(api):
    status, body, headers = api.ask("GET", "/healthz", key=None)
    assert (status, body) == (200, {"status": "ok"})
    assert headers == {"Content-Type": "application/json", "Cache-Control": "no-store"}


@pytest.mark.parametrize("path", ["/v1/accounts/acme", "/v1/accounts/acme/"])
def test_handle__with_or_without_trailing_slash__is_the_same_route(api, path):
    assert api.ask("GET", path)[:2] == (200, {"account_id": "acme"})


def test_handle__written_account_id__arrives_decoded(api):
    assert api.ask("GET", "/v1/accounts/~YXdzL2NoYWxpY2U")[1] == {"account_id": "aws/chalice"}


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/nothing", "/healthz/x", "/v1/account", "/v1/accounts//health", "//healthz"],
)
def test_handle__unknown_path__is_404_without_asking_for_a_key(api, path):
    status, body, _ = api.ask("GET", path, key=None)
    assert (status, body["code"]) == (404, "not_found")


def test_handle__account_id_with_encoded_slash__is_404_that_says_how_to_write_it(api):
    status, body, _ = api.ask("GET", "/v1/accounts/aws%2Fchalice")
    assert (status, body["code"]) == (404, "not_found")
    assert "base64url" in body["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/healthz", "GET"),
        ("GET", "/v1/t", "POST"),
        ("POST", "/v1/settings", "GET, PUT"),
        ("DELETE", "/v1/accounts/acme/health/", "GET"),
    ],
)
def test_handle__known_path_other_method__is_405_by_the_routes_of_all_functions(api, method, path, allowed):
    status, body, headers = api.ask(method, path, key=None)
    assert (status, body["code"], headers["Allow"]) == (405, "method_not_allowed", allowed)


def test_handle__route_of_another_function__is_404(api):
    assert api.ask("GET", "/v1/accounts/acme/health")[0] == 404


def test_handle__no_key__is_401_with_the_whole_error_shape(api):
    status, body, headers = api.ask("GET", "/v1/accounts/acme", key=None)
    assert status == 401
    assert body == {
        "success": False,
        "code": "invalid_key",
        "message": body["message"],
        "request_id": REQUEST_ID,
    }
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"


def test_handle__wrong_scope__is_403(api):
    assert api.ask("GET", "/v1/accounts/acme", key="write")[1]["code"] == "wrong_scope"


def test_handle__id_written_wrongly__is_400_only_for_who_may_ask(api):
    assert api.ask("GET", "/v1/accounts/a%20b", key=None)[0] == 401
    assert api.ask("GET", "/v1/accounts/a%20b")[0] == 400


def test_handle__api_error__carries_what_it_adds(api):
    def refuse(_request):
        raise invalid_request("No.", fields=[1])

    api = settings_answered_by(refuse)
    status, body, _ = api.ask("GET", "/v1/settings")
    assert (status, body["message"], body["fields"]) == (400, "No.", [1])


def test_handle__storage_out_of_reach__is_503_with_retry_after(api):
    def busy(_request):
        raise BusyError

    api = settings_answered_by(busy)
    status, body, headers = api.ask("GET", "/v1/settings")
    assert (status, body["code"], headers["Retry-After"]) == (503, "storage_unavailable", "7")
    assert api.logged()["error"] == "BusyError"


def test_handle__keys_out_of_reach__is_503(api):
    def find(_digest):
        raise BusyError

    assert api.ask("GET", "/v1/accounts/acme", find=find)[0] == 503


def test_handle__mistake_of_ours__is_500_and_logged_without_what_it_says(api):
    def fail(request):
        raise ValueError(request.json()["secret"])

    api = settings_answered_by(fail)
    status, body, _ = api.ask("PUT", "/v1/settings", body={"secret": "do-not-log-me"})
    assert (status, body["code"]) == (500, "internal_error")
    line = api.logged()
    assert (line["level"], line["error"], line["correlation_id"]) == ("ERROR", "ValueError", REQUEST_ID)
    assert any("fail" in frame for frame in line["stack"])
    assert "do-not-log-me" not in api.log.getvalue() + json.dumps(body)


def test_handle__answer_that_is_no_json__is_500(api):
    api = settings_answered_by(lambda _: {"n": float("nan")})
    assert api.ask("GET", "/v1/settings")[0] == 500


def test_handle__any_request__logs_one_line_without_ids_keys_or_contents(api):
    api.ask("PUT", "/v1/settings", body={"inside": 1}, headers={"x-h": "header"})
    line = api.logged()
    assert (line["route"], line["status"], line["level"]) == ("PUT /v1/settings", 200, "INFO")
    assert line["duration_ms"] >= 0
    assert not {"inside", "admin", "header"} & set(api.log.getvalue().replace('"', " ").split())


def test_handle__account_in_the_path__is_not_logged(api):
    api.ask("GET", "/v1/accounts/acme")
    api.ask("GET", "/v1/accounts/acme/nothing")
    routes = [json.loads(line)["route"] for line in api.log.getvalue().splitlines()]
    assert routes == ["GET /v1/accounts/{account_id}", "unknown"]
    assert "acme" not in api.log.getvalue()


def test_handle__route_of_its_own__does_not_ask_for_all_others(api):
    api.ask("GET", "/v1/accounts/acme")
    assert api.asked_for_all == 0
    api.ask("GET", "/v1/accounts/acme/health")
    assert api.asked_for_all == 1


def test_handle__other_name_of_a_route__is_the_same_route_and_logged_by_its_own(api):
    assert api.ask("POST", "/v1/t", body={"a": 1})[:2] == (200, {"read": {"a": 1}})
    assert api.logged()["route"] == "POST /v1/t"


def test_handle__key_in_the_body__is_taken_where_the_route_allows_it(api):
    assert api.ask("POST", "/v1/track", key=None, body={"writeKey": "write"})[0] == 200
    assert api.ask("PUT", "/v1/settings", key=None, body={"writeKey": "admin"})[0] == 401


def test_handle__query_parameter__is_refused_unless_the_route_knows_it_or_ignores_any(api):
    assert api.ask("GET", "/v1/days", query={"date": "2026-11-21"})[0] == 200
    status, body, _ = api.ask("GET", "/v1/days", query={"day": "2026-11-21"})
    assert (status, body["code"]) == (400, "invalid_request")
    assert api.ask("POST", "/v1/t", body={}, query={"any": "thing"})[0] == 200


def test_handle__counted__rides_on_the_request_s_own_line(api):
    def counted(request):
        request.counts[Metric.SCORE_VIEWS] = 1
        return {}

    api = settings_answered_by(counted)
    api.ask("GET", "/v1/settings")
    line = api.logged()
    assert (line["route"], line["ScoreViews"]) == ("GET /v1/settings", 1)
    assert line["_aws"]["Timestamp"] == millis(NOW)


def test_handle__counted_before_a_refusal__is_counted(api):
    def refuse(request):
        request.counts[Metric.EVENTS_REJECTED] = 2
        raise invalid_request("No.")

    api = settings_answered_by(refuse)
    api.ask("GET", "/v1/settings")
    assert api.logged()["EventsRejected"] == 2


def test_handle__nothing_counted__says_nothing_to_cloudwatch(api):
    api.ask("GET", "/v1/accounts/acme")
    assert "_aws" not in api.logged()
