"""Whatever a stranger types into any place of any route is answered in words: never a failure of ours."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from http.client import NOT_MODIFIED
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from healthscore.api.resources import all_routes
from healthscore.core.alerts.model import Alert, AlertKind, Severity
from healthscore.core.time import format_instant
from healthscore.http import cursors
from healthscore.storage.alerts import messages
from tests.integration.security.conftest import PARAMETER
from tests.support.openapi import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.security.conftest import Api

pytestmark = pytest.mark.no_cover  # it would double their time, and shorter tests reach the same lines
DATES = [
    "0001-01-01",
    "9999-12-31",
    "0001-01-02",
    "9999-12-30",
    "0000-00-00",
    "2026-02-30",
    "10000-01-01",
    "-001-01-01",
]
INSTANTS = [
    f"{day}T{time}{offset}"
    for day in DATES[:2]
    for time in ("00:00:00", "23:59:59.999999999")
    for offset in ("Z", "+00:00", "+14:00", "-14:00", "+23:59", "-23:59")
] + ["9999-12-31T24:00:00Z", "2026-11-21T25:61:61Z", "2026-11-21T10:00:00+99:99", "2026-11-21T10:00:00", "now"]
TEXTS = [
    "",
    " ",
    "null",
    "undefined",
    "true",
    "-1",
    "0",
    "1e999",
    "NaN",
    "Infinity",
    "9" * 400,
    "9" * 5_000,
    "-" + "9" * 30,
    "1.5",
    "٣",
    "²",
    "\x00",
    "a\x00b",
    "a\nb",
    "\u202e",
    "\ufeff",
    "\U0001f600",
    "e" + "\u0301" * 300,
    "\u1e9b\u0323" * 200,
    "\ufdfa" * 200,
    "a" * 1_025,
    "../..",
    "~",
    "~~",
    "~AA",
    "~7aCA",  # half a surrogate in base64url
    "~" + "A" * 1_000,
    "%",
    "%00",
    "{}",
    "[]",
    "'; --",
    "$ref",
    "#",
    ",",
    "a,b",
]
RAW = ["%FF", "%ED%A0%80", "%C0%80", "%", "%zz", "%u0041", "+", "a&a=b", "%26"]
"""What is put into a URL as it is: broken UTF-8, broken escapes, and a name that is repeated."""
NUMBERS = [0, -1, 1, 10**12, 10**13, 2**63, -(2**63), 10**38, 10**130, 10**400, 1e308, -0.0, 1.5, 1e-320]
DEEP = 200
ZONES = ["Pacific/Kiritimati", "Etc/GMT+12"]


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


VALUES = [
    *DATES,
    *INSTANTS,
    *TEXTS,
    *NUMBERS,
    None,
    True,
    [],
    {},
    [[]],
    [None],
    ["a", 1],
    {"": 1},
    {"a": {"b": 1}},
    {"\x00": "\x00"},
    "\ud800",
    {"\udfff": "\ud800"},
    _nested(DEEP),
]
WHOLE_BODIES = [
    b"",
    b"null",
    b"1",
    b'"a"',
    b"[]",
    b"[[]]",
    b"{",
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":1e999}',
    b'{"a":-1e999}',
    b'{"a":' + b"9" * 10_000 + b"}",
    b'{"a":1,"a":2}',
    b'{"a":"\\ud800"}',
    b'{"\\ud800":1}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"\x00",
    b"\x1f\x8b",
    b"[" * 10_000,
    b'{"a":' * 10_000,
    b"{" + b'"a":{' * 900 + b'"b":1' + b"}" * 901,
]


@pytest.fixture(params=ZONES)
def zoned(api: Api, request: pytest.FixtureRequest) -> Api:
    """A workspace at an end of the earth, with an account."""
    settings = json.loads(api.ask("GET", "/v1/settings", authorization="Bearer the-admin-key").body)
    settings["timezone"] = request.param
    body = {name: settings[name] for name in ("timezone",)}
    answer = api.ask("PUT", "/v1/settings", body, authorization="Bearer the-admin-key")
    assert answer.status == 200, answer.body
    return api


class Failures:
    """The answers that say that we made a mistake."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.found: list[str] = []
        self.asked = 0

    def ask(self, method: str, target: str, body: object = b"", **headers: str) -> Any:
        """Ask, and note a failure; answers the status."""
        self.asked += 1
        answer = self.api.ask(method, target, body, **{"authorization": "Bearer the-admin-key", **headers})
        if answer.status >= 500:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.found.append(f"{answer.status} {method} {target[:150]} {sent[:150]!r} {answer.body[:200]!r}")
        elif answer.status == NOT_MODIFIED:
            assert answer.body == b""
        elif answer.headers["content-type"] == "application/json" and "content-encoding" not in answer.headers:
            json.loads(answer.body.decode())
        return answer.status


def test_query__whatever_is_typed__is_answered_in_words(zoned):
    failures = Failures(zoned)
    zoned.ask("PUT", "/v1/accounts/acme", {"name": "Acme"}, authorization="Bearer the-admin-key")
    for route in all_routes():
        method, _, path = route.keys[0].partition(" ")
        for parameter in route.query or ():
            path_ = PARAMETER.sub("acme", path)
            for text in (*(quote(value) for value in (*DATES, *INSTANTS, *TEXTS)), *RAW):
                failures.ask(method, f"{path_}?{parameter.name}={text}")
            failures.ask(method, f"{path_}?{parameter.name}=a&{parameter.name}=b")
            failures.ask(method, f"{path_}?{parameter.name}")
    for first in DATES:
        for last in DATES:
            failures.ask("GET", f"/v1/accounts/acme/history?from={first}&to={last}")
    assert "\n".join(failures.found[:20]) == ""


def test_path__whatever_is_typed__is_answered_in_words(api):
    failures = Failures(api)
    for route in all_routes():
        for key in route.keys:
            method, _, path = key.partition(" ")
            names = PARAMETER.findall(path)
            for name in names:
                others = {other: "acme" for other in names if other != name}
                for text in (*(_written(value) for value in (*DATES, *INSTANTS, *TEXTS)), *RAW):
                    target = path.replace(name, text.replace("?", "%3F"))
                    for other, filled in others.items():
                        target = target.replace(other, filled)
                    failures.ask(method, target, {} if method in {"POST", "PUT", "PATCH"} else b"")
    assert "\n".join(failures.found[:20]) == ""


def _written(text: str) -> str:
    return quote(text, safe="")


def test_cursor__made_up_with_a_right_checksum__is_answered_in_words(api, monkeypatch):
    """The checksum is no secret: a stranger can make up any place."""
    monkeypatch.setattr(cursors, "_checksum", lambda *_: b"6bytes")
    api.ask("PUT", "/v1/accounts/acme", {"name": "Acme"}, authorization="Bearer the-admin-key")
    failures = Failures(api)
    places = [
        text.encode("utf-8", "surrogatepass") for text in (*TEXTS, *DATES, "alert#", "alert#~", "zzz", "~" * 1024)
    ]
    places += [b"\xff", b"\xed\xa0\x80", b"\x1f", b"0\x1facme", b"a\x1f\x1f\x1f", b"\x7f" * 1024, "\U0010ffff".encode()]
    for route in all_routes():
        for parameter in route.query or ():
            if parameter.name != "cursor":
                continue
            method, _, path = route.keys[0].partition(" ")
            for place in places:
                cursor = base64.urlsafe_b64encode(b"6bytes" + place).rstrip(b"=").decode()
                for more in _questions(path):
                    failures.ask(method, f"{PARAMETER.sub('acme', path)}?cursor={cursor}{more}")
    assert "\n".join(failures.found[:20]) == ""


def _questions(path: str) -> list[str]:
    if path != "/v1/accounts":
        return [""]
    sorts = ("score", "-score", "last_seen", "-last_seen", "name", "-name", "arr", "-arr", "-arr,name,created_at")
    return [*(f"&sort={sort}" for sort in sorts), "&q=acme", "&owner=ann", "&band=healthy", "&owner=ann&sort=-name"]


def test_headers__whatever_is_typed__is_answered_in_words(api):
    failures = Failures(api)
    for route in all_routes():
        method, _, path = route.keys[0].partition(" ")
        target = PARAMETER.sub("acme", path)
        body = b"{}" if method in {"POST", "PUT", "PATCH"} else b""
        for value in ("", "Bearer", "Bearer \ud7ff", "Basic ====", "Basic /w==", "Bearer " + "k" * 9000, "Basic Og=="):
            failures.ask(method, target, body, authorization=value)
        for name in (
            "content_type",
            "content_encoding",
            "if_none_match",
            "accept_encoding",
            "cookie",
            "origin",
            "host",
        ):
            for value in ("", "\x00", "é☃", "gzip, gzip", '"', "*", "a" * 5000, "application/json; charset=utf-7"):
                failures.ask(method, target, body, **{name: value})
    assert "\n".join(failures.found[:20]) == ""


def _bodies() -> Iterator[tuple[str, str, str]]:
    """Each field of each route's body, those that senders may have and the description leaves open among them."""
    yield from _described_fields()
    for holder, names in OPEN.items():
        for name in names:
            yield "POST", "/v1/batch", f"batch.{holder}{name}"


def _described_fields() -> Iterator[tuple[str, str, str]]:
    """Each described field of each route's body: method, path and field."""
    schemas = described()["components"]["schemas"]
    for path, operations in described()["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            for schema in content.values():
                for field in _fields(schema["schema"], schemas):
                    yield method.upper(), path, field


def _fields(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> list[str]:
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    fields = []
    for name, inner in schema.get("properties", {}).items():
        fields.append(name)
        if depth < 3:
            for one in (inner, *inner.get("anyOf", ()), *inner.get("oneOf", ()), inner.get("items", {})):
                fields += [f"{name}.{below}" for below in _fields(one, schemas, depth + 1)]
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        fields += _fields(one, schemas, depth)
    return list(dict.fromkeys(fields))


def _with(field: str, value: Any) -> dict[str, Any]:
    first, _, rest = field.partition(".")
    inner = value if not rest else _with(rest, value)
    return {first: [inner] if first in {"events", "batch"} and rest else inner}


REQUIRED: dict[str, Any] = {
    "/v1/events": {"account_id": "acme", "name": "login", "timestamp": None},
    "/v1/batch": {"type": "track", "event": "login", "userId": "ann", "timestamp": None},
    "/v1/track": {"event": "login", "userId": "ann", "context": {"groupId": "acme"}},
    "/v1/page": {"userId": "ann", "name": "Home"},
    "/v1/screen": {"userId": "ann", "name": "Home"},
    "/v1/identify": {"userId": "ann", "anonymousId": "dev", "traits": {"name": "Ann"}},
    "/v1/group": {"userId": "ann", "groupId": "acme", "traits": {"name": "Acme"}},
    "/v1/alias": {"userId": "ann", "previousId": "dev"},
    "/v1/alerts/{alert_id}/snooze": {"by": "ann", "until": None},
    "/v1/alerts/{alert_id}/acknowledge": {"by": "ann"},
}
"""What the other fields hold, so that one field at a time is strange."""
SINGLE = {f"/v1/{kind}" for kind in ("track", "page", "screen", "identify", "group", "alias")}
"""These routes read a call as a batch does, so each field of theirs meets fewer of the values."""
OPEN = {
    "": ("receivedAt", "originalTimestamp", "sessionId", "account_id", "integrations", "channel", "version"),
    "properties.": ("value", "account_id", "name", "internal", "x"),
    "context.": ("groupId", "sessionId", "traits", "traits.name", "library", "page"),
}
"""Members of a call that the description does not name, some of which are read."""
TRAITS = (
    "name",
    "owner",
    "arr",
    "plan",
    "renewal_date",
    "created_at",
    "createdAt",
    "employees",
    "email",
    "title",
    "internal",
    "x",
)


@pytest.fixture
def filled(api: Api) -> Api:
    """A workspace with an account, and an alert of the same id."""
    api.ask("PUT", "/v1/accounts/acme", {"name": "Acme"}, authorization="Bearer the-admin-key")
    now = datetime.now(UTC)
    alert = Alert("acme", "acme", AlertKind.BAND_FELL, Severity.LOW, now.date(), now, "Acme fell", "It fell.", (), "")
    messages.add(messages.Message("acme", "acme", now, alert.to_json(), messages.SENT))
    return api


READ_EVERY = 10
"""After so many fields, what they have left behind is read."""


def _read_all(failures: Failures) -> None:
    for path in ("/v1/accounts/acme", "/v1/accounts/acme/health", "/v1/settings", "/v1/crm"):
        failures.ask("GET", path)


@pytest.mark.slow
def test_bodies__whatever_is_typed_into_a_field__is_answered_in_words_and_leaves_the_account_readable(filled):
    failures = Failures(filled)
    for number, (method, path, field) in enumerate(_bodies()):
        target = PARAMETER.sub("acme", path.replace("{provider}", "hubspot"))
        if target == "/v1/settings" and field == "timezone":
            continue
        step = 14 if path in SINGLE else 7  # the next field meets the next of the values
        for value in VALUES[number % step :: step]:
            failures.ask(method, target, _body(path, field, value))
        if number % READ_EVERY == 0:
            _read_all(failures)
    _read_all(failures)
    for sent_at in [*INSTANTS[::3], *NUMBERS]:
        for at in [*INSTANTS[::8], *NUMBERS[::2]]:
            call = {**REQUIRED["/v1/track"], "timestamp": at, "sentAt": sent_at}
            failures.ask("POST", "/v1/track", call)
    _read_all(failures)
    assert "\n".join(failures.found[:20]) == ""


@pytest.mark.slow
def test_traits__whatever_is_typed__are_answered_in_words_and_leave_every_account_readable(api):
    failures = Failures(api)
    for number, trait in enumerate(TRAITS):
        account_id = f"g{trait}"
        for value in VALUES[number % 5 :: 5]:
            group = {**REQUIRED["/v1/group"], "groupId": account_id, "traits": {trait: value}}
            failures.ask("POST", "/v1/group", group)
            failures.ask("POST", "/v1/identify", {**REQUIRED["/v1/identify"], "traits": {trait: value}})
        failures.ask("GET", f"/v1/accounts/{account_id}/health")
    for path in (
        *(f"/v1/accounts?sort={sign}{order}" for order in ("score", "last_seen", "name", "arr") for sign in ("", "-")),
        "/v1/summary",
        "/v1/identity/suspects",
    ):
        failures.ask("GET", path)
    assert "\n".join(failures.found[:20]) == ""


def _body(path: str, field: str, value: Any) -> dict[str, Any]:
    now = format_instant(datetime.now(UTC) + timedelta(minutes=5))
    required = {name: now if filled is None else filled for name, filled in REQUIRED.get(path, {}).items()}
    if field.startswith(("events.", "batch.")):
        outer, _, rest = field.partition(".")
        return {outer: [{**required, **_with(rest, value)}]}
    return {**required, **_with(field, value)} if path not in {"/v1/events", "/v1/batch"} else _with(field, value)


def test_whole_bodies__whatever_is_sent__is_answered_in_words(api):
    failures = Failures(api)
    for route in all_routes():
        for key in route.keys:
            method, _, path = key.partition(" ")
            for body in WHOLE_BODIES:
                failures.ask(method, PARAMETER.sub("acme", path), body)
    assert "\n".join(failures.found[:20]) == ""
