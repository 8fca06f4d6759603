"""The local stack with a HubSpot account: a ticket that is opened moves the score."""

from __future__ import annotations

import json

import pytest

from tools.local.crm import LocalHubSpot
from tools.local.stack import LocalStack
from tools.local.web import Request

TICKETS = "/_local/crm/tickets"


@pytest.fixture(scope="module")
def stack():
    with LocalStack(0, report=lambda _line: None) as stack, LocalHubSpot(stack) as hubspot:
        stack.call("PUT", "/v1/accounts/brightpath", "local-admin", {"name": "Brightpath"})
        hubspot.connect()
        stack.extend(hubspot.answer)
        yield stack


def crm_score(stack: LocalStack) -> int:
    return stack.call("GET", "/v1/accounts/brightpath/health", "local-read")["components"]["crm"]["score"]


def test_ticket__opened_and_closed__moves_the_crm_component(stack):
    assert crm_score(stack) == 100
    opened = stack.call("POST", TICKETS, body={"account_id": "brightpath", "priority": "HIGH"})
    assert (opened["webhook"], crm_score(stack)) == (200, 60)
    stack.call("POST", TICKETS, body={"close": opened["ticket_id"]})
    assert crm_score(stack) == 100


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"account_id": "nobody"}', b'{"close": "1"}'])
def test_ticket__of_nobody__is_refused_with_what_to_send(stack, body):
    answer = stack.ask(Request("POST", TICKETS, (), body))
    assert answer.status == 400
    assert "account_id" in json.loads(answer.body)["message"]
