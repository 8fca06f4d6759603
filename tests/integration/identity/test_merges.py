"""Merging accounts: two ids are one account from now on and for the past, whatever interrupts it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import count
from math import inf
from types import SimpleNamespace

import pytest

from functions.api import handler as api_function
from functions.ingest import handler as ingest_function
from functions.insights import handler as insights
from functions.score import handler as score_function
from healthscore.api import event_settings
from healthscore.core.alerts.model import Alert, AlertKind, Severity, alert_id
from healthscore.core.day_log import log as day_log
from healthscore.core.day_log import shards
from healthscore.core.day_log.codec import entry
from healthscore.core.identity.merges import NO_MERGES
from healthscore.core.model import Event
from healthscore.core.time import DAY, format_instant, from_millis, millis
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.services import merging
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.settings import Settings
from healthscore.storage import reads, retries, workspace
from healthscore.storage.accounts import accounts, history, merges
from healthscore.storage.accounts import merging as giving_up
from healthscore.storage.alerts import messages
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_gated, log_items, rollups, whole_days
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.schema import activity_pk
from healthscore.storage.workspace import ApiKey
from tests.integration.nightly.nights import LOGGER
from tests.support.books import NIGHT, Drawn, write
from tests.support.events import event
from tests.support.gateway import NOW, gateway_event
from tests.support.traces import mentions

NOON = NOW - timedelta(days=1)
TODAY = NOW.date() - timedelta(days=1)


class Killed(BaseException):  # not an error: nothing may catch it
    """The process is gone."""


@pytest.fixture
def product(moto, described_answers, monkeypatch):
    live(monkeypatch)


@pytest.fixture
def stride(tables, monkeypatch, request):
    """Every so many calls are worth a death: DynamoDB Local is slower, and answers the same."""
    live(monkeypatch)
    return 1 if request.node.get_closest_marker("dynamodb_local") is None else 7


def live(monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", 400)
    event_settings.settings.forget()
    for function in (api_function, ingest_function, insights, score_function):
        monkeypatch.setattr(function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("local-admin"), "admin", "test", NOW, "admi"))
    workspace.add_key(ApiKey(key_hash("local-write"), "write", "test", NOW, "rite"))


def ask(method: str, path: str, body: object = None, *, key: str = "local-admin", function=api_function, context=None):
    response = function.handler(gateway_event(method, path, key=key, body=body, now=NOW), context)
    return response["statusCode"], json.loads(response["body"])


def merge(old: str, new: str):
    return ask("POST", f"/v1/accounts/{old}/merge", {"into": new})


def call(kind: str, minute: float, **fields):
    at = format_instant(NOON + timedelta(minutes=minute))
    return {"type": kind, "timestamp": at, "messageId": f"m{kind}{minute}", **fields}


def send(*calls):
    status, answer = ask("POST", "/v1/batch", {"batch": calls}, function=ingest_function)
    assert (status, answer["rejected"]) == (200, []), answer
    return answer


def track(minute: float, account: str | None = None, **fields):
    context = {} if account is None else {"context": {"groupId": account}}
    return call("track", minute, event="seen", **context, **fields)


def events_of(account_id: str) -> int:
    found = rollups.rollups(account_id, TODAY - timedelta(days=9), NOW.date(), consistent=True)
    return sum(day.events for day in found)


def people_of(account_id: str) -> int:
    return sum(day.people for day in rollups.rollups(account_id, TODAY, TODAY, consistent=True))


def used(old: str, new: str) -> int:
    """Two accounts with named events, copies of a person's, sealed blocks, and an event that both have."""
    send(call("group", 0, userId=f"ann {old}", groupId=old), call("group", 0, userId=f"bob {old}", groupId=new))
    send(*(track(minute, old, userId=f"ann {old}") for minute in range(30)))
    send(*(track(100 + minute, userId=f"ann {old}") for minute in range(20)))
    send(*(track(200 + minute - 1440, userId=f"ann {old}") for minute in range(3)))
    send(track(5, new, userId=f"ann {old}"), *(track(300 + minute, userId=f"bob {old}") for minute in range(4)))
    return 30 + 20 + 3 + 4


class TestMerge:
    def test_days__of_both_ids__are_folded_together_once(self, product):
        all_ = used("old", "new")
        assert merge("old", "new") == (200, {"account_id": "old", "into": "new", "done": True})
        assert (events_of("new"), events_of("old"), people_of("new")) == (all_, 0, 2)
        assert merge("old", "new") == (200, {"account_id": "old", "into": "new", "done": True})
        assert (events_of("new"), whole_days.days(activity_pk("old"))) == (all_, whole_days.days(activity_pk("old")))

    def test_events__that_name_the_old_id_later__count_for_the_account_that_goes_on(self, product):
        all_ = used("old", "new")
        merge("old", "new")
        assert send(track(3, "old", userId="ann old"))["duplicates"] == 1
        assert send(track(400, "old", userId="ann old"))["accepted"] == 1
        one = {"account_id": "old", "name": "login", "timestamp": format_instant(NOON)}
        assert ask("POST", "/v1/events", {"events": [one]}, function=ingest_function)[1]["accepted"] == 1
        send(call("group", 500, userId="cyd", groupId="old"), track(501, userId="cyd"))
        assert (events_of("new"), events_of("old"), people_of("new")) == (all_ + 3, 0, 3)

    def test_process_that_knows_of_no_merge__learns_of_it_by_its_first_write(self, product, monkeypatch):
        monkeypatch.setattr(merges, "SECONDS", inf)
        all_ = used("old", "new")
        before = merges.known.at_hand()
        merge("old", "new")
        for number, made in enumerate((track(600, "old"), track(601, userId="ann old"))):
            monkeypatch.setattr(merges.known, "_merges", before)
            assert send(made)["accepted"] == 1
            assert events_of("new") == all_ + number + 1
        assert whole_days.days(activity_pk("old")) == []

    def test_process_that_reads_an_old_item_of_the_account__moves_no_copies(self, product, monkeypatch):
        all_, before, batch_get = used("old", "new"), merges.known.at_hand(), reads.batch_get
        merge("old", "new")

        def old_items(*wanted):
            return [
                (table, {name: item[name] for name in item if name != "into"}) for table, item in batch_get(*wanted)
            ]

        moves_on = call("group", 50, userId="ann old", groupId="elsewhere")
        with monkeypatch.context() as late:
            late.setattr(merges.known, "_merges", before)
            late.setattr(reads, "batch_get", old_items)
            late.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
            assert ask("POST", "/v1/group", moves_on, function=ingest_function)[0] == 503
        send(moves_on)
        assert (events_of("new"), events_of("elsewhere")) == (all_ - 20, 20)

    def test_first_seen_times_and_birth__of_both__are_the_earliest(self, product):
        used("old", "new")
        merge("old", "new")
        account = accounts.get("new")
        assert account.first_seen == {"seen": NOON + timedelta(minutes=200 - 1440)}

    def test_account_merged_before__goes_along_with_the_one_that_it_was_merged_into(self, product):
        all_ = used("old", "new")
        send(track(700, "newest"))
        merge("old", "new")
        assert merge("new", "newest")[1]["into"] == "newest"
        send(track(701, "old"), track(702, "new"), track(703, userId="ann old"))
        assert (events_of("newest"), events_of("new"), events_of("old")) == (all_ + 4, 0, 0)
        assert merge("old", "new")[1] == {"account_id": "old", "into": "newest", "done": True}

    @pytest.mark.parametrize(
        ("old", "new", "status", "code"),
        [
            ("new", "new", 409, "merge_refused"),
            ("new", "old", 409, "merge_refused"),
            ("old", "third", 409, "merge_refused"),
            ("nobody", "new", 404, "account_not_found"),
            ("new", "nobody", 404, "account_not_found"),
        ],
    )
    def test_merge__that_makes_no_sense__is_refused(self, product, old, new, status, code):
        used("old", "new")
        send(track(700, "third"))
        merge("old", "new")
        answer = merge(old, new)
        assert (answer[0], answer[1]["code"]) == (status, code)
        assert merges.read().merges.into == {"old": "new"}

    @pytest.mark.parametrize("body", [{}, {"into": 7}, {"into": ""}, {"into": "new", "more": 1}, []])
    def test_merge__with_a_wrong_body__is_400(self, product, body):
        status, answer = ask("POST", "/v1/accounts/old/merge", body)
        assert (status, answer["code"]) == (400, "invalid_request")

    def test_merge__with_a_write_key__is_403(self, product):
        assert ask("POST", "/v1/accounts/old/merge", {"into": "new"}, key="local-write")[0] == 403

    def test_merges__more_than_there_is_room_for__are_refused(self, product, monkeypatch):
        monkeypatch.setattr(giving_up, "MAX_MERGES", 1)
        send(*(track(minute, f"account{minute}") for minute in range(3)))
        assert merge("account0", "account1")[0] == 200
        assert merge("account1", "account2")[1]["code"] == "merge_refused"

    def test_merge__into_an_account_that_is_being_erased__is_404(self, product):
        used("old", "new")
        erasing.mark("new", NOW)
        assert merge("old", "new")[0] == 404

    def test_merge__out_of_time__is_503_and_finished_by_the_next(self, product, monkeypatch):
        all_ = used("old", "new")
        left = iter([10_000])  # milliseconds, each time that somebody asks
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left, 0))
        status, answer = ask("POST", "/v1/accounts/old/merge", {"into": "new"}, context=context)
        assert (status, answer["code"]) == (503, "merge_unfinished")
        assert whole_days.days(activity_pk("old"))
        assert merge("old", "new")[0] == 200
        assert events_of("new") == all_

    def test_merge__that_was_begun__is_finished_by_the_night(self, product):
        all_ = used("old", "new")
        giving_up.begin("old", "new", ())
        assert events_of("new") < all_
        night()
        assert (events_of("new"), merges.read().merges.moving) == (all_, frozenset())
        assert history.snapshots(accounts.get("new"), TODAY, NOW.date()) == [accounts.get("new").latest]

    def test_commit__to_a_day_that_is_not_moved_yet__finds_what_was_sent_before(self, product):
        all_ = used("old", "new")
        giving_up.begin("old", "new", ())
        assert send(track(3, "old", userId="ann old"))["duplicates"] == 1
        merge("old", "new")
        assert events_of("new") == all_

    def test_days__of_many_write_shards__are_folded_together_once(self, product, monkeypatch):
        monkeypatch.setattr(shards, "SHARD_BATCHES", 1)
        for account_id, start in (("old", 0), ("new", 100)):
            for day in (-1440, 0):
                for number in range(8):
                    send(track(day + start + number, account_id, userId=f"{account_id} {number}"))
        assert len(log_items.read_heads(activity_pk("old"), TODAY)) > 1
        merge("old", "new")
        assert (events_of("new"), people_of("new"), events_of("old")) == (32, 16, 0)
        assert send(*(track(number, "old", userId=f"old {number}") for number in range(8)))["duplicates"] == 8

    @pytest.mark.parametrize("finished", [False, True])
    def test_event_with_a_corrected_clock__delivered_again_after_the_merge__counts_once(self, product, finished):
        used("old", "new")
        terms = Terms.of(Settings(), NOW, lambda: inf)
        one, days = entry(event("corrected", 0, user_id="ann old")), (TODAY, TODAY - DAY, TODAY - 2 * DAY)
        at = [millis(datetime.combine(day, time(12), UTC)) for day in days]
        gate = commit_gated.gate_of(one, at[1])
        assert commit_gated.commit("old", days[0], one._replace(at=at[0]), gate_day=days[1], gate=gate, terms=terms)
        all_ = events_of("old") + events_of("new") - 1  # one that both have
        giving_up.begin("old", "new", ())
        if finished:
            merging.finish("old", NOW, lambda: inf)
        again = partial(commit_gated.commit, "old", days[2], one._replace(at=at[2]), gate_day=days[1], gate=gate)
        assert not merges.following(lambda: again(terms=Terms.of(Settings(), NOW, lambda: inf)))
        plain = Event("corrected", "old", "seen", from_millis(at[1]), user_id="ann old")
        assert ingest([plain], Settings(), NOW).duplicates == 1
        merge("old", "new")
        assert events_of("new") == all_


def night(at=NOW):
    run = plan_run({"time": format_instant(at)}, at)
    process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)


@pytest.mark.no_cover  # it makes the same calls again and again
def test_merge__killed_at_every_call_and_repeated__counts_everything_once(stride):
    at = count(1, stride)
    done = False
    while not done:
        number = next(at)
        for after in (False, True):
            old, new = f"old {number} {after}", f"new {number} {after}"
            all_ = used(old, new)
            calls = count(1)
            dead = []

            def watch(*, number=number, calls=calls, dead=dead, **_):
                if dead or (next(calls) == number):
                    dead.append(number)
                    raise Killed

            hook = "after-call.dynamodb" if after else "before-call.dynamodb"
            dynamodb().meta.events.register(hook, watch, unique_id="killing")
            try:
                with suppress(Killed):
                    merging.merge(old, new, NOW, lambda: inf)
            finally:
                dynamodb().meta.events.unregister(hook, watch, unique_id="killing")
            done = not dead
            send(track(800, old, userId=f"ann {old}"), track(801, userId=f"ann {old}"))
            merging.merge(old, new, NOW, lambda: inf)
            assert (events_of(new), events_of(old), people_of(new)) == (all_ + 2, 0, 2), (number, after)
    assert number > 10


PROFILE = {"name": "Old Name", "owner": "kim", "plan": "pro", "attributes": {"domain": "old.example", "size": 5}}


class TestWhatIsKnown:
    def test_profile__of_both__fills_what_is_missing(self, product):
        ask("PUT", "/v1/accounts/old", PROFILE)
        ask("PUT", "/v1/accounts/new", {"plan": "free", "attributes": {"size": 7}})
        send(call("group", 0, userId="ann", groupId="new", traits={"name": "New Name"}))
        send(call("group", 0, userId="ann", groupId="old", traits={"industry": "trade"}))
        merge("old", "new")
        status, account = ask("GET", "/v1/accounts/old", function=score_function)
        assert (status, account["account_id"], account["path"]) == (200, "new", "/v1/accounts/new")
        assert account["profile"] == {
            "name": "New Name",
            "owner": "kim",
            "plan": "free",
            "attributes": {"domain": "old.example", "size": 7, "industry": "trade"},
        }

    def test_paths__with_the_old_id__lead_to_the_account_that_goes_on(self, product):
        used("old", "new")
        merge("old", "new")
        for path in ("", "/health", "/history", "/alerts"):
            answer = ask("GET", f"/v1/accounts/old{path}", function=score_function)[1]
            assert answer == ask("GET", f"/v1/accounts/new{path}", function=score_function)[1]
            assert answer["account_id"] == "new"
        assert ask("PATCH", "/v1/accounts/old", {"owner": "kim"})[1]["account_id"] == "new"
        assert ask("PUT", "/v1/accounts/old/crm", {"open_tickets": 1})[1]["account_id"] == "new"
        put = ask("PUT", "/v1/accounts/old", {"name": "Renamed"})[1]
        assert (put["account_id"], put["profile"], put["crm"]["open_tickets"]) == ("new", {"name": "Renamed"}, 1)
        assert "old" not in [row["account_id"] for row in ask("GET", "/v1/accounts", function=insights)[1]["accounts"]]

    def test_book_and_search__have_one_account(self, product):
        ask("PUT", "/v1/accounts/old", {**PROFILE, "arr": 1000})
        send(track(0, "new"))
        merge("old", "new")
        for query in ({}, {"q": "old name"}, {"q": "ne"}, {"owner": "kim"}, {"sort": "arr"}):
            event = gateway_event("GET", "/v1/accounts", key="local-admin", query=query, now=NOW)
            rows = json.loads(insights.handler(event, None)["body"])["accounts"]
            assert [(row["account_id"], row["name"], row["arr"]) for row in rows] == [("new", "Old Name", 1000)], query
        event = gateway_event("GET", "/v1/accounts", key="local-admin", query={"q": "old"}, now=NOW)
        assert json.loads(insights.handler(event, None)["body"])["accounts"][0]["account_id"] == "new"

    def test_nights__of_the_old_account__are_those_of_the_account_that_goes_on(self, product):
        used("old", "new")
        night(NOW - timedelta(hours=8))
        before = accounts.get("old")
        send(track(900, "fresh"))
        merge("old", "fresh")
        fresh = accounts.get("fresh")
        assert (fresh.latest, fresh.recent) == (before.latest, before.recent)
        assert history.snapshots(fresh, TODAY, NOW.date()) == [before.latest]
        night(NOW)
        assert [row["account_id"] for row in ask("GET", "/v1/accounts", function=insights)[1]["accounts"]].count(
            "fresh"
        ) == 1

    def test_alerts__of_the_old_account__are_withdrawn_unless_they_were_sent(self, product):
        for account_id in ("old", "new"):
            write(Drawn(account_id, {}, 50, 70, NIGHT))
        sent, waiting = (add_alert("old", NIGHT.date() - timedelta(days=age)) for age in (1, 0))
        messages.mark_sent("old", sent, now=NOW)
        merge("old", "new")
        assert list(messages.pending()) == []
        acknowledged = ask("POST", f"/v1/alerts/{sent}/acknowledge", {"by": "kim"})
        assert (acknowledged[0], accounts.get("new").acknowledgement.by) == (200, "kim")
        assert ask("POST", f"/v1/alerts/{waiting}/acknowledge", {"by": "kim"})[0] == 409


def add_alert(account_id, day):
    id_ = alert_id(AlertKind.BAND_FELL, day, account_id)
    alert = Alert(id_, account_id, AlertKind.BAND_FELL, Severity.LOW, day, NIGHT, "Fell", "It fell", (), "It fell")
    messages.add(messages.Message.of(alert))
    return id_


class TestErasure:
    def test_account__by_either_id__leaves_nothing_of_both(self, product):
        ids = ("zorro", "quixote", "sancho")
        for path in ids:
            for id_ in ids[:2]:
                ask(
                    "PUT", f"/v1/accounts/{id_}", {"name": f"{id_} traders", "attributes": {"domain": f"{id_}.example"}}
                )
            used("zorro", "quixote")
            send(track(900, "sancho"))
            merge("zorro", "quixote")
            merge("quixote", "sancho")
            send(call("group", 910, userId="cyd", groupId="zorro"), track(911, userId="cyd"), track(912, "quixote"))
            assert ask("DELETE", f"/v1/accounts/{path}")[0] == 200
            assert mentions(*ids, "cyd", "ann zorro") == []
            assert merges.read().merges == NO_MERGES

    def test_account__with_a_merge_that_is_not_finished__leaves_nothing(self, product):
        used("zorro", "quixote")
        giving_up.begin("zorro", "quixote", ())
        send(track(900, userId="ann zorro"))
        assert ask("DELETE", "/v1/accounts/quixote")[0] == 200
        assert mentions("zorro", "quixote") == []

    def test_account__of_a_person_who_belongs_elsewhere_too__keeps_what_counts_there(self, product):
        used("zorro", "quixote")
        send(call("group", 1000, userId="ann zorro", groupId="elsewhere"), track(1001, userId="ann zorro"))
        merge("zorro", "quixote")
        assert ask("DELETE", "/v1/accounts/zorro")[0] == 200
        assert events_of("elsewhere") == 1
        assert mentions("quixote") == []

    @pytest.mark.parametrize("steps", range(0, 40, 3))
    def test_account__interrupted__is_erased_by_the_next_call(self, product, steps):
        used("zorro", "quixote")
        merge("zorro", "quixote")
        left = iter([True] * steps)
        erasing.mark("quixote", NOW)
        erasing.erase("quixote", NOW, lambda: next(left, False))
        assert ask("DELETE", "/v1/accounts/zorro")[0] in {200, 404}
        assert ask("DELETE", "/v1/accounts/quixote")[0] in {200, 404}
        assert mentions("zorro", "quixote") == []

    def test_user__of_a_merged_account__leaves_the_figures(self, product):
        all_ = used("old", "new")
        ask("PUT", "/v1/accounts/old", {"champions": ["ann old"]})
        giving_up.begin("old", "new", ())
        assert ask("DELETE", "/v1/accounts/old/users/~YW5uIG9sZA")[0] == 200
        assert events_of("new") == all_
        assert mentions("ann old") == []
