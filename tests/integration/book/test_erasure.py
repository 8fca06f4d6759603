"""Erasing an account or a user leaves nothing that mentions it, whatever interrupts it or is written meanwhile."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.api import handler as api_function
from healthscore.core.alerts.model import Alert, AlertKind, Severity, alert_id
from healthscore.core.documents import crm_from_json
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.settings import Settings
from healthscore.storage import schema, workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import digests, messages
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import rollups
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.erasure import pending_users
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import traits
from healthscore.storage.workspace import ApiKey
from tests.integration.nightly import nights
from tests.integration.nightly.nights import Killed, Killer, Tables
from tests.support import interleaving, traces
from tests.support.books import NIGHT, NOW, Drawn, write
from tests.support.events import DAY, MIDNIGHT, event
from tests.support.gateway import gateway_event
from tests.support.own_logs import tell
from tests.support.traces import mentions

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT, NAME, USER, OTHER = "quixotic/1", "Zanzibar Traders", "u-erin-74", "u-olga-12"
UUID_USER = "7d9f1c52-3a50-4a09-9df4-0c2f3f1a2b3c"
TRACES = (ACCOUNT, NAME, "zanzibar")


def take_in(events: list[Any]) -> None:
    ingest(events, Settings(), now=NOW, time_left=lambda: 9.0)


def add_message(account_id: str | None, text: str, day: Any = DAY, named: Sequence[str] = ()) -> None:
    kind = AlertKind.DIGEST if account_id is None else AlertKind.BAND_FELL
    alert = Alert(
        alert_id(kind, day, account_id), account_id, kind, Severity.LOW, day, NIGHT, "A night", text, (), text
    )
    if account_id is None:
        digests.add(alert, named)
    else:
        messages.add(messages.Message(account_id, alert.alert_id, alert.created_at, alert.to_json()))


@pytest.fixture
def lived(moto, monkeypatch):
    """An account with everything that one can have, and a neighbour with as much."""
    monkeypatch.setattr(api_function, "find_key", CachedKeys(workspace.find_key))
    monkeypatch.setattr(nights, "WRITES", nights.WRITES | {"BatchWriteItem"})
    workspace.add_key(ApiKey(key_hash("local-admin"), "admin", "test", NOW, "admi"))
    for account_id, name in ((ACCOUNT, NAME), ("neighbour", "Next Door")):
        write(Drawn(account_id, {"name": name, "owner": "ann", "champions": [USER, OTHER]}, 50, 70, NIGHT))
        accounts.save_crm(account_id, crm_from_json({"received_at": "2026-11-20T10:00:00Z", "open_tickets": 1}))
        for day in range(3):
            add_message(account_id, f"{name} fell", DAY - timedelta(days=day))
        users = [USER, OTHER, UUID_USER if account_id == ACCOUNT else "u-karl-9", None]
        fields = [
            {
                "user_id": users[i % 4],
                "session_id": f"s{i % 5}" if i % 3 else None,
                "page": f"Profile of {users[i % 4]}",
            }
            for i in range(300)
        ]
        days = [MIDNIGHT - timedelta(days=i % 3) + timedelta(minutes=i) for i in range(300)]
        take_in(
            [event(f"e{i}", account_id=account_id, at=days[i], **fields[i]) for i in range(150)]
            + [
                event(f"e{i}", account_id=account_id, at=MIDNIGHT + timedelta(minutes=i), **fields[i])
                for i in range(150, 300)
            ]
        )
        tell(grouped=[(f"u{USER}", 0, account_id)])
    tell(grouped=[(f"u{UUID_USER}", 0, ACCOUNT)])
    traits.describe(f"u{UUID_USER}", {"name": "Erasmus"}, 0)
    add_message(None, f"{NAME} (-20) fell most", named=[ACCOUNT])
    add_message(None, "Next Door (-20) fell most", DAY - timedelta(days=1), named=["neighbour"])


def delete(path: str, key: str = "local-admin") -> tuple[int, dict[str, Any]]:
    response = api_function.handler(gateway_event("DELETE", path, key=key), None)
    return response["statusCode"], json.loads(response["body"])


PATH = "/v1/accounts/~cXVpeG90aWMvMQ"


def test_traces__before_the_erasure__are_found(lived):
    """What the other tests look for is worth looking for."""
    tables = {text.split(" ")[0] for text in mentions(*TRACES)}
    assert tables == {"ACCOUNTS_TABLE", "ACTIVITY_TABLE", "HISTORY_TABLE"}
    assert any(" S#" in text or "S#2026" in text for text in mentions(USER))


def test_delete_account__with_all_that_one_can_have__leaves_no_trace_and_no_neighbour_hurt(lived):
    of_the_neighbour = mentions("neighbour", "Next Door")
    assert delete(PATH) == (200, {"account_id": ACCOUNT, "erased": False, "status": "erasing"})
    traces.erase_from_dataset()
    assert mentions(*TRACES) == []
    assert mentions("Erasmus") == []
    assert [text for text in of_the_neighbour if '"a#' in text or "account#" in text or "ACCOUNTS" in text] == [
        text for text in mentions("neighbour", "Next Door") if '"a#' in text or "account#" in text or "ACCOUNTS" in text
    ]
    assert delete(PATH)[0] == 404


def test_delete_account__of_another_key_than_admin__is_403(lived):
    workspace.add_key(ApiKey(key_hash("local-read"), "read", "test", NOW, "read"))
    assert delete(PATH, "local-read")[0] == 403
    assert accounts.get(ACCOUNT) is not None


@pytest.mark.parametrize("path", [PATH, f"{PATH}/users/{USER}"], ids=["account", "user"])
def test_delete__killed_at_any_write__is_finished_by_the_next(lived, path):
    left = TRACES if path == PATH else ()
    tables, killer = Tables(), Killer()
    with killer.watching():
        assert delete(path)[0] == 200
    figures = rollups.rollups(ACCOUNT, DAY - timedelta(days=9), DAY, consistent=True)
    assert len(killer.writes) > 3
    for done in range(len(killer.writes) + 1):  # after the last one, the answer is lost
        tables.bring_back()
        with Killer.after_writes(done, len(killer.writes)).watching(), pytest.raises(Killed):
            delete(path)
        assert delete(path)[0] == 200
        traces.erase_from_dataset()
        assert mentions(*left) == [] if left else user_is_gone(), done
        assert rollups.rollups(ACCOUNT, DAY - timedelta(days=9), DAY, consistent=True) == figures


def user_is_gone() -> bool:
    return not [text for text in mentions(USER) if ACCOUNT in text]


def test_delete_user__of_an_account__keeps_every_figure_and_everybody_else(lived):
    window = partial(rollups.rollups, ACCOUNT, DAY - timedelta(days=9), DAY, consistent=True)
    before, others = window(), len(mentions(OTHER))
    assert delete(f"{PATH}/users/{USER}") == (200, {"account_id": ACCOUNT, "user_id": USER, "erased": True})
    assert window() == before
    assert user_is_gone()
    assert accounts.get(ACCOUNT).profile["champions"] == [OTHER]
    assert len(mentions(OTHER)) == others
    assert accounts.get("neighbour").profile["champions"] == [USER, OTHER]


def test_delete_user__whose_id_is_a_uuid__is_gone_from_the_raw_bytes(lived):
    assert delete(f"{PATH}/users/{UUID_USER}")[0] == 200
    assert not [text for text in mentions(UUID_USER) if ACCOUNT in text]
    assert mentions("Erasmus") == []


def test_delete_user__then_the_same_events_again__counts_none_twice(lived):
    before = rollups.rollups(ACCOUNT, DAY, DAY, consistent=True)
    delete(f"{PATH}/users/{USER}")
    take_in(
        [event(f"e{i}", account_id=ACCOUNT, at=MIDNIGHT + timedelta(minutes=i), user_id=USER) for i in range(150, 300)]
    )
    assert rollups.rollups(ACCOUNT, DAY, DAY, consistent=True) == before


def test_erasures__that_nobody_carried_on__are_finished_by_the_night(lived):
    with Killer(3).watching(), pytest.raises(Killed):
        delete(f"{PATH}/users/{USER}")
    erasing.mark("neighbour", NOW)
    run = plan_run({}, NOW)
    assert process_scan_part(run, 0, 1, keep_going=lambda: True, logger=nights.LOGGER).totals.scored == 1
    assert mentions(USER, "neighbour", "Next Door") == []
    assert accounts.get(ACCOUNT).pending_user_erasures == ()


def test_erase__of_an_account_that_was_created_again__leaves_it_alone_and_is_not_done(lived):
    """What a dead writer left behind the erasure that came to its end may be in the new account's logs."""
    before = mentions(ACCOUNT)
    assert erasing.erase(ACCOUNT, NOW, lambda: True) == (0, False)
    assert mentions(ACCOUNT) == before


def test_erase__overtaken_by_another_and_by_new_events__leaves_these_alone_and_is_not_done(moto):
    """A client that had no answer asks again: the first erasure is still under way when events create the account."""
    days = [MIDNIGHT - timedelta(days=back) for back in range(30)]  # more than are deleted at once
    take_in([event(f"e{i}", at=at) for i, at in enumerate(days)])
    erasing.mark("acme", NOW)
    new = [event(f"new{i}", at=at) for i, at in enumerate(days)]
    asked = iter(range(10))

    def overtaken() -> bool:
        if next(asked) == 0:
            _erase("acme")
            take_in(new)
        return True

    assert not erasing.erase("acme", NOW, overtaken)[1]
    kept = rollups.rollups("acme", days[-1].date(), DAY, consistent=True)
    assert [one.events for one in kept] == [1] * len(days)
    assert accounts.get("acme").first_seen == {"page_viewed": days[-1]}


def test_delete_account__that_is_not_there__clears_up_what_is_left_of_it(lived):
    dynamodb().delete_item(TableName=schema.accounts_table(), Key={"account_id": {"S": ACCOUNT}})
    assert delete(PATH)[0] == 200
    assert [text for text in mentions(ACCOUNT) if " w#" not in text and "w#" not in text] == []
    assert delete(PATH)[0] == 404
    assert accounts.get(ACCOUNT) is None


def test_erase__of_an_account_that_is_not_there_whose_mark_is_not_answered__takes_the_mark_away(moto):
    client = dynamodb()

    def lose(parsed, http_response, **_):
        http_response.status_code = 400
        parsed["Error"] = {"Code": "ConditionalCheckFailedException", "Message": "as a repeated put would say"}

    client.meta.events.register("after-call.dynamodb.PutItem", lose)
    assert erasing.erase("acme", NOW, lambda: True)[1]
    client.meta.events.unregister("after-call.dynamodb.PutItem", lose)
    take_in([event("e1")])
    assert accounts.get("acme") is not None


def test_pending_users__a_transaction_in_the_way__are_noted_and_removed_all_the_same(moto):
    take_in([event("e1")])
    client = dynamodb()

    def conflict(parsed, http_response, **_):
        client.meta.events.unregister("after-call.dynamodb.UpdateItem", conflict)
        http_response.status_code = 400
        parsed["Error"] = {"Code": "TransactionConflictException", "Message": "a transaction is under way"}

    for change, noted in ((pending_users.begin, (USER,)), (pending_users.end, ())):
        client.meta.events.register("after-call.dynamodb.UpdateItem", conflict)
        change("acme", USER)
        assert accounts.get("acme").pending_user_erasures == noted


def test_delete_user__of_an_unknown_account__is_404(lived):
    status, body = delete(f"/v1/accounts/nobody/users/{USER}")
    assert (status, body["code"]) == (404, "account_not_found")


def test_delete_account__that_runs_out_of_time__says_so_and_hides_the_account(lived, monkeypatch):
    monkeypatch.setattr("healthscore.http.request.Request.time_left", lambda _: 0)
    status, body = delete(PATH)
    assert (status, body["code"]) == (503, "erasure_unfinished")
    assert accounts.get(ACCOUNT) is None
    with pytest.raises(StorageUnavailableError):
        take_in([event("late", account_id=ACCOUNT)])
    with pytest.raises(StorageUnavailableError):
        accounts.save_profile(ACCOUNT, lambda profile: profile, NOW)


def test_delete_account__day_written_while_it_is_being_deleted__leaves_nothing_of_it(small):
    """The writer has read the day, and goes on after so many calls of the erasure: between look and deletion too."""
    for calls_before in range(1, 14):
        small.bring_back()
        late = [event(f"late{i}", at=MIDNIGHT + timedelta(minutes=i), user_id=USER) for i in range(60)]
        turns = iter([1, 1, *[0] * calls_before, *[1] * 9])
        interleaving.run(
            [partial(_erase, "acme"), partial(_try, late)],
            choose=lambda count, turns=turns: min(next(turns, 0), count - 1),
            kill=lambda: None,
        )
        assert accounts.get("acme") is not None or mentions("acme") == [] == mentions(USER), calls_before


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_delete_account__while_events_come_in__leaves_a_whole_account_or_none(small, data):
    """An ingestion and an erasure take turns at every call; the account is there as a whole, or not at all."""
    small.bring_back()
    day = data.draw(st.sampled_from([0, 1]), label="day")  # one that is there, or a new one
    late = [event(f"late{i}", at=MIDNIGHT + timedelta(days=day, minutes=i), user_id=USER) for i in range(60)]
    runs = interleaving.run(
        [partial(_erase, "acme"), partial(_try, late)],
        choose=interleaving.drawn(data, "turn"),
        kill=lambda: None,
    )
    assert not any(run.killed for run in runs)
    account = accounts.get("acme")
    kept = rollups.rollups("acme", DAY, DAY + timedelta(days=1), consistent=True)
    assert sum(one.events for one in kept) == (0 if account is None else 60)
    assert account is not None or mentions("acme") == [] == mentions(USER)


@pytest.fixture
def small(moto):
    take_in([event(f"e{i}", i, user_id=USER) for i in range(60)])
    interleaving.watch(dynamodb())
    return Tables()


def _erase(account_id: str) -> None:
    assert erasing.mark(account_id, NOW)
    assert erasing.erase(account_id, NOW, lambda: True)[1]


def _try(events: list[Any]) -> None:
    try:
        take_in(events)
    except StorageUnavailableError:
        return
