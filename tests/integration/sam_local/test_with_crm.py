"""The page's second part: functions in containers, with a CRM connected. See `test_plain.py`."""

from __future__ import annotations

import json

import pytest

from tests.support.sam_local import NEEDS_DOCKER, WITH_CRM, Running, commands_of

pytestmark = NEEDS_DOCKER


@pytest.fixture
def with_crm(tmp_path):
    running = Running(commands_of(WITH_CRM)[0], tmp_path / "log.txt")
    running.wait_for("A HubSpot account is connected")
    yield running
    running.stop()


def test_commands__with_a_crm__do_what_the_page_says(with_crm):
    _, ticket, read, outbox, send, sync, refresh, night, write_back, webhook = commands_of(WITH_CRM)
    assert with_crm.health("brightpath")["components"]["crm"]["score"] == 100
    assert json.loads(with_crm.follow(ticket))["webhook"] == 200
    assert json.loads(with_crm.follow(read))["components"]["crm"]["score"] == 60
    assert "ticket" in with_crm.follow(outbox)
    assert json.loads(with_crm.follow(send))["accepted"] == 1
    read_again = {result["provider"]: result["state"] for result in with_crm.invoke(sync)["results"]}
    assert read_again == {"hubspot": "complete", "attio": "complete"}
    assert with_crm.invoke(refresh) == {"batchItemFailures": []}
    assert with_crm.invoke(night)["scored"] == 3
    assert with_crm.invoke(write_back)["results"] == [{"provider": "hubspot", "written": 1}]
    taken = with_crm.invoke(webhook)
    assert (taken["statusCode"], json.loads(taken["body"])["queued"]) == (200, 1)
