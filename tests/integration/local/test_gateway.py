"""Handlers get the events, and clients the answers, that API Gateway would make."""

import base64
import gzip
import json

import pytest

from tools.local.gateway import MAX_EVENT, Gateway, decoded_path
from tools.local.routes import Route
from tools.local.template import Cors
from tools.local.web import Request

ROUTES = [Route("GET", "/things/{id}", "thing"), Route("ANY", "/{proxy+}", "any")]
JSON = ("Content-Type", "application/json")


class Functions:
    """Notes the events that arrive, and returns a given result."""

    def __init__(self, result=None):
        self.result = {"statusCode": 200} if result is None else result
        self.names, self.events = [], []

    def invoke(self, name, event):
        self.names.append(name)
        self.events.append(json.loads(event))
        if isinstance(self.result, Exception):
            raise self.result
        return json.dumps(self.result)


def event_of(request):
    functions = Functions()
    Gateway(ROUTES, None, functions.invoke).answer(request)
    (event,) = functions.events
    return event


def answer_to(result, request=None, cors=None):
    return Gateway(ROUTES, cors, Functions(result).invoke).answer(request or Request("GET", "/x"))


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/things/a%20b", "/things/a b"),
        ("/things/a%2Fb", "/things/a/b"),
        ("/things/a%3Fb/health?x=1", "/things/a"),
        ("/things/%C3%A9", "/things/é"),
        ("/things/a+b", "/things/a+b"),
        ("/things/%FF", "/things/\ufffd"),
        ("/things/x/", "/things/x/"),
    ],
)
def test_path__encoded__decoded_before_routing(target, path):
    assert decoded_path(target) == path


def test_event__path_with_encoded_slash__misses_the_single_variable():
    event = event_of(Request("GET", "/things/a%2Fb"))
    assert event["routeKey"] == "ANY /{proxy+}"
    assert event["pathParameters"] == {"proxy": "things/a/b"}
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/things/a/b"


def test_event__get_request__shape_of_payload_2_0():
    headers = (("Host", "h:3000"), ("X-Two", "a"), ("x-two", "b"), ("User-Agent", "curl"), ("Cookie", "a=1; b=2"))
    event = event_of(Request("GET", "/things/7?day=2026-11-21&day=x&at=10%3A00%2B01&empty=", headers))
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "GET /things/{id}"
    assert event["rawQueryString"] == "day=2026-11-21&day=x&at=10%3A00%2B01&empty="
    assert event["queryStringParameters"] == {"day": "2026-11-21,x", "at": "10:00+01", "empty": ""}
    assert event["pathParameters"] == {"id": "7"}
    assert event["headers"]["x-two"] == "a,b"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["stage"] == "$default"
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["http"]["userAgent"] == "curl"
    assert event["isBase64Encoded"] is False
    assert "body" not in event


def test_event__nothing_asked__fields_left_out():
    event = event_of(Request("GET", "/things/7"))
    assert event["rawQueryString"] == ""
    assert not {"queryStringParameters", "cookies", "body"} & set(event)


BODY = '{"name": "Zoë"}'.encode()


@pytest.mark.parametrize(
    ("headers", "body", "encoded"),
    [
        ((JSON,), BODY, False),
        ((("content-type", "text/plain;charset=UTF-8"),), BODY, False),
        ((("content-type", "application/x-www-form-urlencoded"),), BODY, True),
        ((), BODY, True),
        ((JSON, ("content-encoding", "gzip")), gzip.compress(BODY, mtime=0), True),
        ((JSON,), b"\xff\xfe", True),
    ],
)
def test_event__body__base64_unless_declared_text(headers, body, encoded):
    event = event_of(Request("POST", "/x", headers, body))
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body


def test_answer__event_longer_than_lambda_takes__413_and_no_invocation():
    functions = Functions()
    gateway = Gateway(ROUTES, None, functions.invoke)
    fits = gateway.answer(Request("POST", "/x", (JSON,), b"x" * (MAX_EVENT - 2000)))
    beyond = gateway.answer(Request("POST", "/x", (JSON,), b"x" * MAX_EVENT))
    assert (fits.status, beyond.status, len(functions.events)) == (200, 413, 1)
    assert json.loads(beyond.body) == {"message": "Request Entity Too Large"}


def test_answer__no_route__gateways_own_404():
    response = Gateway([], None, Functions().invoke).answer(Request("GET", "/"))
    assert (response.status, json.loads(response.body)) == (404, {"message": "Not Found"})


@pytest.mark.parametrize(
    "result", [RuntimeError("boom"), {"statusCode": 200, "body": "x" * MAX_EVENT}, {"statusCode": "x"}]
)
def test_answer__function_fails__gateways_own_500(result):
    response = answer_to(result)
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal Server Error"})


def test_answer__full_result__passed_on():
    result = {"statusCode": 503, "headers": {"Retry-After": 1}, "cookies": ["a=1"], "body": "é"}
    response = answer_to(result)
    assert (response.status, response.body, response.cookies) == (503, "é".encode(), ("a=1",))
    assert response.headers == {"retry-after": "1", "content-type": "text/plain;charset=UTF-8"}


def test_answer__base64_result__decoded():
    assert answer_to({"statusCode": 200, "isBase64Encoded": True, "body": "AAE="}).body == b"\x00\x01"


def test_answer__result_without_status__taken_for_the_body():
    response = answer_to({"hello": "world"})
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert json.loads(response.body) == {"hello": "world"}


CORS = Cors(origins=("https://app.example",), methods=("GET", "POST"), headers=("authorization",), max_age=60)
PREFLIGHT = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST"))


def test_preflight__configured__answered_by_the_gateway():
    functions = Functions()
    response = Gateway(ROUTES, CORS, functions.invoke).answer(Request("OPTIONS", "/x", PREFLIGHT))
    assert (response.status, functions.events) == (204, [])
    assert response.headers == {
        "access-control-allow-origin": "https://app.example",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "60",
    }


def test_preflight__not_configured__goes_to_the_function():
    assert event_of(Request("OPTIONS", "/x", PREFLIGHT))["requestContext"]["http"]["method"] == "OPTIONS"


def test_preflight__other_origin__allows_nothing():
    headers = (("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST"))
    assert answer_to({}, Request("OPTIONS", "/x", headers), CORS).headers == {}


def test_cors__handlers_own_headers__replaced_by_the_gateways():
    result = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*", "x-own": "1"}}
    response = answer_to(result, Request("GET", "/x", PREFLIGHT[:1]), CORS)
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert response.headers["x-own"] == "1"
    assert "access-control-allow-origin" not in answer_to(result, Request("GET", "/x"), CORS).headers
