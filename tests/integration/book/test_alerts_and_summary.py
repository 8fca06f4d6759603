"""Lists of alerts, and the workspace in short, as nights and the dataset have left them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from functions.api import handler as api_function
from functions.insights import handler as insights_function
from functions.score import handler as score_function
from healthscore.core.alerts.model import Alert, AlertKind, Severity, alert_id
from healthscore.dataset import night_summary
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.services.nightly import process
from healthscore.services.nightly.dataset import Invocation, publish_as_it_stands
from healthscore.services.notifications import outbox
from healthscore.storage import codec, schema, workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import lists, messages
from healthscore.storage.client import dynamodb
from healthscore.storage.runs import earlier_summary
from healthscore.storage.workspace import ApiKey
from tests.integration.nightly.nights import ABSENT, NIGHT, THRIVING, TONIGHT, Inline, Topic, account, night
from tests.support.gateway import gateway_event

TODAY = TONIGHT.date()
KINDS = [kind for kind in AlertKind if kind not in {AlertKind.DIGEST, AlertKind.FLEET_SILENT}]


@pytest.fixture
def topic(moto, described_answers, monkeypatch):
    for module in (process, outbox):
        monkeypatch.setattr(module, "ThreadPoolExecutor", Inline)
    for function in (api_function, score_function, insights_function):
        monkeypatch.setattr(function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("local-admin"), "admin", "test", TONIGHT, "dmin"))
    return Topic()


def ask(path: str, method: str = "GET", *, body: object = None, **query: str) -> tuple[int, dict[str, Any]]:
    of_account = path.startswith("/v1/accounts/") and method == "GET"
    function = score_function if of_account else insights_function if path == "/v1/summary" else api_function
    event = gateway_event(method, path, key="local-admin", query=query, body=body, now=TONIGHT)
    response = function.handler(event, None)
    return response["statusCode"], json.loads(response["body"])


def add_alert(account_id: str, kind: AlertKind, day: Any = TODAY, status: str = messages.PENDING) -> str:
    grave = Severity.HIGH if kind is AlertKind.BAND_FELL else Severity.LOW
    owner = None if account_id == "a00" else f"owner of {account_id}"
    id_ = alert_id(kind, day, account_id)
    made = Alert(id_, account_id, kind, grave, day, TONIGHT, "a", "b", (), "c", owner=owner)
    assert messages.add(messages.Message(account_id, made.alert_id, TONIGHT, made.to_json(), status))
    return made.alert_id


def pages(path: str, **query: str) -> list[list[dict[str, Any]]]:
    found, cursor = [], {}
    while True:
        status, page = ask(path, **query, **cursor)
        assert status == 200, page
        found.append(page["alerts"])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_alerts__of_what_is_no_day__is_400(topic):
    for text in ("", "yesterday", "2026-2-1", "2026-13-01", "2026-02-30", "20261121", "2026-11-21T00:00Z"):
        status, body = ask("/v1/alerts", date=text)
        assert (text, status, body["code"]) == (text, 400, "invalid_request")


def test_alerts__asked_for_what_there_is_not__is_400(topic):
    account("a00")
    for path in ("/v1/alerts", "/v1/accounts/a00/alerts"):
        for query in ({"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"day": "2026-11-21"}):
            assert (path, query, ask(path, **query)[0]) == (path, query, 400)


def test_alerts__of_a_day_without_any__are_none(topic):
    add_alert("a00", AlertKind.SILENT)
    nothing = {"from": "2026-11-20", "to": "2026-11-20", "date": "2026-11-20", "alerts": [], "next_cursor": None}
    assert ask("/v1/alerts", date="2026-11-20") == (200, nothing)
    assert [len(page) for page in pages("/v1/alerts")] == [1]


@pytest.mark.parametrize("limit", ["1", "3", "200"])
def test_alerts__of_a_day__are_all_there_once_by_kind_with_what_became_of_them(topic, limit):
    of_today = {add_alert(f"a{number:02}", kind) for number in range(3) for kind in KINDS}
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        add_alert("a00", AlertKind.SILENT, day)
    held, withdrawn, sent = (add_alert(f"b{number}", AlertKind.SILENT, status=messages.HELD) for number in range(3))
    messages.withdraw("b1", withdrawn)
    messages.let_go("b2", sent)
    messages.mark_sent("b2", sent, now=TONIGHT)
    found = pages("/v1/alerts", date=TODAY.isoformat(), limit=limit)
    alerts = [alert for page in found for alert in page]
    assert all(len(page) == int(limit) for page in found[:-1])
    assert {alert["alert_id"] for alert in alerts} == of_today | {held, withdrawn, sent}
    assert len(alerts) == len(of_today) + 3
    assert [alert["kind"] for alert in alerts] == sorted(alert["kind"] for alert in alerts)
    status_of = {alert["alert_id"]: alert["status"] for alert in alerts}
    assert [status_of[one] for one in (held, withdrawn, sent)] == ["held", "withdrawn", "sent"]


def listed(**query: str) -> list[dict[str, Any]]:
    return [alert for page in pages("/v1/alerts", **query) for alert in page]


@pytest.mark.parametrize("limit", ["1", "4", "200"])
def test_alerts__of_some_days__are_all_there_once_the_newest_day_first(topic, limit):
    days = [TODAY - timedelta(days=age) for age in range(6)]
    ids = {day: {add_alert(f"a{number:02}", kind, day) for number in range(2) for kind in KINDS} for day in days[:4:2]}
    add_alert("a00", AlertKind.SILENT, days[5])
    found = listed(**{"from": days[4].isoformat(), "to": days[0].isoformat(), "limit": limit})
    assert [alert["day"] for alert in found] == sorted((alert["day"] for alert in found), reverse=True)
    assert {alert["alert_id"] for alert in found} == set().union(*ids.values())
    assert len(found) == sum(map(len, ids.values()))


def test_alerts__asked_for_with_filters__are_those_that_a_plain_list_has(topic, monkeypatch):
    """Also where so few are wanted that a page ends before it is full."""
    monkeypatch.setattr(lists, "LOOKED_AT_ONCE", 3)
    monkeypatch.setattr(lists, "MOST_LOOKED_AT", 5)
    days = [TODAY - timedelta(days=age) for age in range(2)]
    for day in days:
        for number in range(3):
            for kind in KINDS:
                add_alert(f"a{number:02}", kind, day)
    span = {"from": days[-1].isoformat(), "to": days[0].isoformat()}
    everything = listed(**span)
    assert len(everything) == 6 * len(KINDS)
    values = {
        "account": ["a00", "a02", "nobody"],
        "kind": [KINDS[0].value, "recovered"],
        "severity": ["high", "medium", "low"],
        "owner": [*{alert["owner"] for alert in everything if alert["owner"]}, "nobody"],
    }
    field_of = {"account": "account_id"}
    for name, of_name in values.items():
        for value in of_name:
            for limit in ("2", "200"):
                expected = [alert for alert in everything if alert[field_of.get(name, name)] == value]
                assert listed(**span, **{name: value, "limit": limit}) == expected, (name, value, limit)
    both = listed(**span, account="a01", kind=KINDS[0].value)
    assert [alert["day"] for alert in both] == [day.isoformat() for day in days]


def test_alerts__of_days_that_are_none__are_400(topic):
    for query in (
        {"date": "2026-11-20", "from": "2026-11-20"},
        {"from": "2026-11-22", "to": "2026-11-21"},
        {"from": "2026-10-21", "to": "2026-11-21"},
        {"kind": "digest"},
        {"severity": "grave"},
        {"owner": " "},
    ):
        status, body = ask("/v1/alerts", **query)
        assert (query, status, body["code"]) == (query, 400, "invalid_request")
    assert ask("/v1/alerts", **{"from": "2026-10-22", "to": "2026-11-21"})[0] == 200


def test_alerts_of_an_account__are_newest_first_and_its_own(topic):
    account("a00")
    days = [TODAY - timedelta(days=age) for age in (3, 0, 40, 1)]
    for day in days:
        add_alert("a00", AlertKind.SILENT, day)
        add_alert("a001", AlertKind.SILENT, day)
    found = pages("/v1/accounts/a00/alerts", limit="2")
    assert [alert["day"] for page in found for alert in page] == [day.isoformat() for day in sorted(days, reverse=True)]
    assert {alert["account_id"] for page in found for alert in page} == {"a00"}


def test_alerts_of_an_account__that_is_unknown_or_erased__are_404(topic):
    account("a00")
    add_alert("a00", AlertKind.SILENT)
    assert ask("/v1/accounts/nobody/alerts")[0] == 404
    assert ask("/v1/accounts/a00", "DELETE")[0] == 200
    assert ask("/v1/accounts/a00/alerts")[0] == 404
    assert pages("/v1/alerts") == [[]]


def book_of_six() -> None:
    """Two of them fall to 0 tonight, since they have no event; one never had any; one is met for the first time."""
    account("fell", THRIVING, arr=100.1, name="Fell Ltd")
    account("fell-too", THRIVING, arr=200.2)
    account("gone", ABSENT, arr=400.4)
    account("gone-too", ABSENT)
    account("first", arr=0.3)
    account("later", arr=999, since=TONIGHT + timedelta(hours=1))


def publish(at=TONIGHT) -> None:
    """Have the dataset of a night, as its end makes it."""
    publish_as_it_stands(f"of {at}", Invocation(at, at + timedelta(minutes=15), lambda: True))


def test_summary__before_the_first_night__is_all_0(topic):
    account("a00", arr=10)
    status, found = ask("/v1/summary")
    assert (status, found["date"], found["accounts"]) == (200, None, 0)
    assert found["movers"] == {"up": [], "down": []}


def test_summary__after_a_night__counts_accounts_and_arr_by_band_and_names_who_moved(topic):
    book_of_six()
    night(topic)
    publish()
    found = ask("/v1/summary")[1]
    scored = [one for one in accounts.scan(0, 1) if one.latest is not None]
    bands = Counter(one.latest.band.value for one in scored)
    assert found["accounts"] == len(scored) == 5  # the one that came after the night was scored has no snapshot
    for name, band in found["bands"].items():
        cents = sum(round(100 * one.profile.get("arr", 0)) for one in scored if one.latest.band.value == name)
        assert (band["accounts"], band["arr"]) == (bands[name], cents / 100)
    assert sum(band["accounts_before"] for band in found["bands"].values()) == 4
    assert [(mover["account_id"], mover["name"]) for mover in found["movers"]["down"]] == [
        ("fell", "Fell Ltd"),
        ("fell-too", "fell-too"),
    ]
    assert found["movers"]["down"][0]["path"] == "/v1/accounts/fell"
    assert found["movers"]["up"] == []


def test_summary__account_erased_since__is_named_no_more_and_counted_until_the_next_night(topic):
    book_of_six()
    night(topic)
    publish()
    before = ask("/v1/summary")[1]
    assert ask("/v1/accounts/fell", "DELETE")[0] == 200
    after = ask("/v1/summary")[1]
    assert [mover["account_id"] for mover in after["movers"]["down"]] == ["fell-too"]
    assert (after["accounts"], after["bands"]) == (before["accounts"], before["bands"])
    night(topic, now=TONIGHT + NIGHT, event={})
    publish(TONIGHT + NIGHT)
    assert ask("/v1/summary")[1]["accounts"] == 5  # without it, and with the one that came later


def test_summary__a_past_day_is_taken_again__stays_that_of_the_newest_night(topic):
    book_of_six()
    night(topic)
    publish()
    before = ask("/v1/summary")
    night(topic, {"date": (TODAY - timedelta(days=1)).isoformat()})
    publish(TONIGHT - NIGHT)
    assert ask("/v1/summary") == before


def test_summary__of_money__is_whole_where_it_is(topic):
    account("whole", ABSENT, arr=391_300.0)
    account("not", THRIVING, arr=0.1)
    night(topic)
    publish()
    event = gateway_event("GET", "/v1/summary", key="local-admin", now=TONIGHT)
    assert '"arr":391300.1}' in insights_function.handler(event, None)["body"].replace(" ", "")
    account("rest", arr=0.9)
    night(topic, now=TONIGHT + NIGHT, event={})
    publish(TONIGHT + NIGHT)
    assert '"arr":391301}' in insights_function.handler(event, None)["body"].replace(" ", "")


def test_summary__account_merged_into_another_since__is_named_no_more(topic):
    book_of_six()
    night(topic)
    publish()
    assert ask("/v1/accounts/fell/merge", "POST", body={"into": "fell-too"})[0] == 200
    assert [mover["account_id"] for mover in ask("/v1/summary")[1]["movers"]["down"]] == ["fell-too"]


def test_summary__that_an_erasure_rewrites_just_then__is_read_again(topic, monkeypatch):
    book_of_six()
    night(topic)
    publish()
    before, found = ask("/v1/summary"), [None]
    read = night_summary.read
    monkeypatch.setattr(night_summary, "read", lambda part: found.pop() if found else read(part))
    assert ask("/v1/summary") == before


def earlier_summary_with(*account_ids: str) -> None:
    """What a night of a version before has left."""
    movers = [
        {"account_id": one, "name": "Fell Ltd", "since": "2026-11-20", "from": 80, "to": 0} for one in account_ids
    ]
    band = {"accounts": 1, "accounts_before": 2, "arr": 391300.0}
    bands = dict.fromkeys(("healthy", "at_risk", "critical"), band)
    stored = {"date": "2026-11-21", "as_of": "2026-11-21T02:00:00Z", "accounts": 3, "bands": bands}
    text = codec.json_text({**stored, "movers": {"up": [], "down": movers}})
    key = codec.key(schema.SUMMARY_PK, schema.CURRENT)
    item = {**key, "summary": text, "summary_day": codec.text("2026-11-21")}
    dynamodb().put_item(TableName=schema.settings_table(), Item=item)


def test_summary__of_a_version_before__is_answered_until_a_night_deletes_it(topic):
    book_of_six()
    earlier_summary_with("fell", "gone")
    found = ask("/v1/summary")[1]
    assert (found["date"], found["accounts"]) == ("2026-11-21", 3)
    assert found["bands"]["healthy"] == {"accounts": 1, "accounts_before": 2, "arr": 391300}
    assert ask("/v1/accounts/fell", "DELETE")[0] == 200
    assert [mover["account_id"] for mover in ask("/v1/summary")[1]["movers"]["down"]] == ["gone"]
    assert "Fell Ltd" in str(earlier_summary.item())
    night(topic)
    publish()
    assert earlier_summary.item() is None
    assert ask("/v1/summary")[1]["accounts"] == 4
