"""Figures of nights: by band and group, with the moves since the night before, and the alerts of the day."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from healthscore.core.alerts.model import Alert, AlertKind, Severity, alert_id
from healthscore.core.dataset import figures as core
from healthscore.core.model import Band, Component, Snapshot
from healthscore.dataset import bucket, night_figures
from healthscore.storage.alerts import messages
from tests.integration.book.asking import READ_KEY
from tests.integration.book.conftest import read_key  # noqa: F401
from tests.integration.dataset.rows import AS_OF, NIGHT, account, as_of, leave, publish
from tests.support.gateway import gateway_event

DAY = timedelta(days=1)
BEFORE = NIGHT - DAY


def one(account_id, band, night=NIGHT, **profile):
    if band is None:
        return account(account_id, **profile), None
    score = {"healthy": 90, "at_risk": 50, "critical": 10}[band]
    components = dict.fromkeys([Component.ACTIVITY], score)
    return account(account_id, **profile), Snapshot(night, as_of(night), score, Band(band), components, {})


def make(night, *accounts, run=None):
    name = run or f"of {night}"
    worker = leave(accounts, run=name, night=night)
    publish(worker, run=name, night=night)


def update(keep_going=lambda: True):
    night_figures.bring_up_to_date(NIGHT, keep_going)


def ask(**query):
    response = respond(**query)
    return response["statusCode"], json.loads(response["body"])


def respond(**query):
    from functions.insights import handler as insights  # noqa: PLC0415

    query = {"from": BEFORE.isoformat(), "to": NIGHT.isoformat(), **query}
    return insights.handler(gateway_event("GET", "/v1/nights", key=READ_KEY, query=query), None)


@pytest.fixture
def two(moto, read_key):  # noqa: F811
    make(
        BEFORE,
        one("stays", "healthy", BEFORE, owner="ann", arr=100),
        one("falls", "healthy", BEFORE, owner="ann", arr=10),
        one("goes", "critical", BEFORE, owner="bob"),
    )
    make(
        NIGHT,
        one("stays", "healthy", owner="ann", arr=100),
        one("falls", "at_risk", owner="bob", arr=20),
        one("new", None, arr=1),
    )


def test_nights__of_two__count_bands_moves_and_alerts(two):
    words = ("Fell", "It fell.", (), "Call.")
    alert = Alert(
        alert_id(AlertKind.BAND_FELL, NIGHT, "falls"), "falls", AlertKind.BAND_FELL, Severity.LOW, NIGHT, AS_OF, *words
    )
    messages.add(messages.Message.of(alert))
    update()
    status, found = ask(by="owner")
    assert status == 200
    before, night = found["nights"]
    assert [(one["night"], one["accounts"], one["arr"]) for one in (before, night)] == [
        (BEFORE.isoformat(), 3, 110),
        (NIGHT.isoformat(), 3, 121),
    ]
    assert night["bands"] == {
        "healthy": {"accounts": 1, "arr": 100},
        "at_risk": {"accounts": 1, "arr": 20},
        "critical": {"accounts": 0, "arr": 0},
        "unscored": {"accounts": 1, "arr": 1},
    }
    assert night["moves"] == [
        {"from": None, "to": "unscored", "accounts": 1},
        {"from": "critical", "to": None, "accounts": 1},
        {"from": "healthy", "to": "at_risk", "accounts": 1},
    ]
    assert night["alerts"] == {"band_fell": 1}
    assert [(group["group"], group["accounts"], group["alerts"]) for group in night["groups"]] == [
        ("ann", 1, {}),
        ("bob", 1, {"band_fell": 1}),
        (None, 1, {}),
    ]
    assert before["moves"] == []  # there is no night to compare with
    assert ask()[1]["nights"][1]["groups"] == []


def test_nights__arr__is_whole_where_it_is_and_exact_to_the_cent(two):
    make(
        NIGHT + DAY,
        *(one(f"tenth {number}", "healthy", NIGHT + DAY, arr=0.1) for number in range(3)),
        one("whole", "critical", NIGHT + DAY, arr=391_300.0),
    )
    night_figures.bring_up_to_date(NIGHT + DAY, lambda: True)
    body = respond(to=(NIGHT + DAY).isoformat())["body"]
    assert '"healthy":{"accounts":3,"arr":0.3}' in body.replace(" ", "")
    assert '"critical":{"accounts":1,"arr":391300}' in body.replace(" ", "")
    assert ".0" not in body


def test_nights__made_again__have_new_figures_and_so_has_the_night_after(two):
    update()
    make(BEFORE, one("falls", "critical", BEFORE), run="again")
    update()
    before, night = ask()[1]["nights"]
    assert before["accounts"] == 1
    assert {"from": "critical", "to": "at_risk", "accounts": 1} in night["moves"]


def test_nights__that_there_was_no_time_for__are_made_the_next_time(two):
    update(keep_going=lambda: False)
    assert ask()[1]["nights"] == []
    update()
    assert len(ask()[1]["nights"]) == 2


def test_nights__up_to_date__are_left_alone(two):
    update()
    etags = {key: bucket.get(key).etag for key in bucket.keys("nights/")}
    update()
    assert {key: bucket.get(key).etag for key in bucket.keys("nights/")} == etags
    assert [*etags] == ["nights/2026-11.parquet"]


def test_groups__beyond_the_largest__are_one(two, monkeypatch):
    monkeypatch.setattr(core, "MOST_GROUPS", 1)
    update()
    night = ask(by="owner")[1]["nights"][1]
    assert [(group["group"], group["others"], group["accounts"]) for group in night["groups"]] == [
        ("ann", False, 1),
        (None, True, 2),
    ]


@pytest.mark.parametrize(
    "query", [{"by": "name"}, {"from": "2026-12-01"}, {"from": "2020-01-01"}, {"day": "x"}], ids=str
)
def test_nights__asked_for_what_there_is_not__is_400(two, query):
    assert ask(**query)[0] == 400
