"""Deliveries find nothing wrong with a product that is right, and find what is wrong with one that is not."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from healthscore.storage import workspace
from healthscore.storage.errors import StorageUnavailableError
from tests.support import identity_deliveries as deliveries
from tests.support import identity_judge as judge
from tests.support.identity_histories import ZONES, Fate, History, Step, history

SEEDS = range(25)
GROUP = {"type": "group", "timestamp": "2026-11-16T09:00:00Z", "userId": "~ann", "groupId": "~acme"}
TRACK = {"type": "track", "timestamp": "2026-11-16T09:30:00Z", "userId": "~ann", "event": "login", "messageId": "~m"}


class StandIn:
    """A product that keeps all calls and has the judge compute its figures; it makes some calls to DynamoDB."""

    def __init__(self) -> None:
        self.kept: list[judge.Call] = []

    def handler(self, event, _context):
        body = json.loads(event["body"])
        calls = body.get("batch", [body])
        try:
            workspace.settings()
            for call in calls:
                self.keep(call)
                workspace.settings()
        except StorageUnavailableError:
            return {"statusCode": 503, "body": "{}"}
        rejected = [{"index": index} for index, call in enumerate(calls) if judge.is_rejected(call)]
        return {"statusCode": 200, "body": json.dumps({"rejected": rejected})}

    def keep(self, call):
        self.kept.append(call)

    def rollups(self, account_id, *_days, **_):
        return list(judge.figures(self.kept, zone=self.zone).get(account_id, {}).values())

    def account(self, account_id):
        first_seen = judge.first_seen(self.kept).get(account_id, {})
        return SimpleNamespace(account_id=account_id, first_seen=first_seen)


def faulty(product: StandIn, monkeypatch, histories, zone: str = "UTC") -> list[list[str]]:
    """Deliver histories to a stand-in; what is wrong with those that are not right."""
    space = deliveries.Workspace(zone, monkeypatch)
    product.zone = space.zone
    monkeypatch.setattr(deliveries.ingest_function, "handler", product.handler)
    monkeypatch.setattr(deliveries.rollups, "rollups", product.rollups)
    monkeypatch.setattr(deliveries.accounts, "get", product.account)
    found = []
    for one in histories:
        product.kept.clear()
        found.append(space.faults(one))
    return [faults for faults in found if faults]


@pytest.mark.parametrize("zone", ZONES)
def test_product__that_is_right__has_no_faults(zone, moto, monkeypatch):
    assert faulty(StandIn(), monkeypatch, map(history, SEEDS), zone) == []


def test_product__that_forgets_a_call_when_it_is_sent_again__is_found(moto, monkeypatch):
    class Forgetful(StandIn):
        def keep(self, call):
            self.kept.remove(call) if call in self.kept else self.kept.append(call)

    assert len(faulty(Forgetful(), monkeypatch, map(history, SEEDS))) > 5


def test_product__that_counts_an_event_again__is_found(moto, monkeypatch):
    class Double(StandIn):
        def keep(self, call):
            again = {**call, "messageId": f"{call.get('messageId')} again"} if call in self.kept else call
            self.kept.append(again)

    assert len(faulty(Double(), monkeypatch, map(history, SEEDS))) > 5


def test_product__that_answers_500__is_found(moto, monkeypatch):
    class Broken(StandIn):
        def handler(self, *_):
            return {"statusCode": 500, "body": "{}"}

    (faults,) = faulty(Broken(), monkeypatch, [history(0)])
    assert faults == ["a delivery is answered 500: {}"]


def test_product__that_answers_503_for_ever__is_found(moto, monkeypatch):
    class Busy(StandIn):
        def handler(self, *_):
            return {"statusCode": 503, "body": "{}"}

    (faults,) = faulty(Busy(), monkeypatch, [History((GROUP,), (Step((0,)),))])
    assert faults == ["a delivery is answered 503 for ever: calls (0,)"]


def test_figures__that_differ__are_named_by_account_and_day(moto, monkeypatch):
    class Lossy(StandIn):
        def keep(self, call):
            if call["messageId"] == "m1":
                self.kept.append({**call, "event": "logout"})

    named = [{**TRACK, "groupId": "~acme", "messageId": f"m{number}"} for number in range(2)]
    (faults,) = faulty(Lossy(), monkeypatch, [History(tuple(named), (Step((0, 1)),))])
    assert "acme 2026-11-16: events is 1, not 2" in faults
    assert "acme first logout: is 2026-11-16 09:30:00+00:00, not None" in faults


@pytest.mark.parametrize(
    ("fate", "sent", "kept"),
    [
        (Fate("killed before", 2), 2, 3),
        (Fate("killed after", 2), 2, 3),
        (Fate("killed before", 9), 1, 2),
        (Fate("paused", 2), 1, 2),
    ],
)
def test_delivery__by_its_fate__is_sent_again_until_it_is_answered(fate, sent, kept, moto, monkeypatch):
    class Counting(StandIn):
        sent = 0

        def handler(self, *request):
            self.sent += 1
            return super().handler(*request)

    product = Counting()
    assert faulty(product, monkeypatch, [History((GROUP, TRACK), (Step((0, 1), fate),))]) == []
    assert (product.sent, len(product.kept)) == (sent, kept)


def test_delivery__that_is_paused__lets_the_next_one_overtake(moto, monkeypatch):
    product = StandIn()
    steps = (Step((0,), Fate("paused", 1)), Step((1,)))
    assert faulty(product, monkeypatch, [History((GROUP, TRACK), steps)]) == []
    assert [call["type"] for call in product.kept] == ["track", "group"]
