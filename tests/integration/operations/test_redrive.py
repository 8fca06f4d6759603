"""A night that was given up is finished by running its event again, as docs/operations.md says."""

from __future__ import annotations

import json

import pytest

from healthscore.storage.accounts import accounts
from healthscore.storage.errors import StorageUnavailableError
from tests.integration.operations.conftest import TONIGHT
from tools.local.lambdas import FunctionError
from tools.redrive import RedriveError, event_of, redrive


def unavailable(*_arguments, **_options):
    raise StorageUnavailableError("gone for a moment")


def test_redrive__night_that_was_given_up__is_finished_and_sends_each_message_once(
    product, queue, given_up, monkeypatch, capsys
):
    product.send("acme", 1, 2, 3)
    product.send("globex", 1)
    save = accounts.commit_score

    def failing_for_acme(account, *score, **beside):
        (unavailable if account.account_id == "acme" else save)(account, *score, **beside)

    with monkeypatch.context() as outage:
        outage.setattr(accounts, "commit_score", failing_for_acme)
        for _ in range(3):
            with pytest.raises(FunctionError, match="1 failed account"):
                product.night(TONIGHT)
    queue.put(given_up(TONIGHT, "IncompleteError"))
    before = product.ask("GET", "/v1/accounts/acme")["latest"]

    assert redrive(queue.client, queue.url, product.night) == 1

    assert before is None
    assert product.ask("GET", "/v1/accounts/acme")["latest"]["date"] == TONIGHT["time"][:10]
    assert queue.waiting == (0, 0)
    alert_ids = product.alert_ids()
    assert len(set(alert_ids)) == len(alert_ids) == 1  # the digest, although the night ended four times
    assert "gone for a moment" not in capsys.readouterr().out


def test_redrive__start_that_the_schedule_gave_up__is_run(product, queue):
    product.send("acme", 1)
    queue.put(TONIGHT)
    assert redrive(queue.client, queue.url, product.night) == 1
    assert product.ask("GET", "/v1/accounts/acme")["latest"]["date"] == TONIGHT["time"][:10]


def test_redrive__fails_again__leaves_this_message_and_those_behind_it(product, queue):
    queue.put({"task": "outbox"})
    queue.put({"task": "outbox"})

    def failing(_event):
        raise RedriveError("again")

    with pytest.raises(RedriveError):
        redrive(queue.client, queue.url, failing)
    assert queue.waiting == (1, 1)


def test_redrive__nothing_there__does_nothing(product, queue):
    assert redrive(queue.client, queue.url, product.night) == 0


@pytest.mark.parametrize("body", ["[]", '"x"', json.dumps({"requestContext": {}}), "no JSON"])
def test_event_of__anything_else__is_refused(body):
    with pytest.raises(ValueError, match=r".+"):
        event_of(body)
