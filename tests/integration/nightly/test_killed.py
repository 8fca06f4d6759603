"""A run killed at any write or publication, or overlapping with another: same snapshots, and no message twice."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from healthscore.services.notifications.outbox import LEASE
from healthscore.storage.client import dynamodb
from tests.integration.nightly.nights import (
    ABSENT,
    THRIVING,
    TONIGHT,
    Killed,
    Killer,
    Tables,
    Topic,
    account,
    items,
    night,
    sweep,
)
from tests.support import interleaving

if TYPE_CHECKING:
    from healthscore.core.alerts.model import Alert

pytestmark = pytest.mark.no_cover  # it would double their time, and shorter tests reach the same lines
SOON = TONIGHT + timedelta(minutes=1)
AFTER_LEASE = SOON + LEASE


@pytest.fixture
def undisturbed(topic):
    """What an undisturbed run stores and sends; it can be run again from the same beginning.

    Of the three accounts two give something to tell, and one stays as it was.
    """
    account("fell", THRIVING, THRIVING, THRIVING, name="Fell Ltd", owner="ana")
    account("fell too", THRIVING)
    account("stays", ABSENT)
    tables = Tables()
    killer = topic.killer = Killer()
    with killer.watching():
        night(topic)
    return Undisturbed(tables, stored(), {alert.alert_id: alert for alert in topic.alerts()}, killer.writes)


@dataclass
class Undisturbed:
    tables: Tables
    stored: Any
    alerts: dict[str, Alert]
    writes: list[str]


def stored():
    """What the tables hold that people see."""
    return items("ACCOUNTS_TABLE"), items("HISTORY_TABLE")


def marked_as_sent():
    """Ids of the messages that are stored as sent."""
    found = items("HISTORY_TABLE")
    return {sk.partition("#")[2] for (_, sk), item in found.items() if "message" in item and "pending" not in item}


def test_run__killed_at_any_write__leaves_the_same_when_run_again(undisturbed):
    """Killed at each write in turn, run again at once, and swept after the lease."""
    writes = undisturbed.writes
    for done in range(len(writes) + 1):
        undisturbed.tables.bring_back()
        topic = Topic()
        topic.killer = Killer.after_writes(done, len(writes))
        with topic.killer.watching(), pytest.raises(Killed):
            night(topic)
        sent_by_the_dead, marked = topic.ids(), marked_as_sent()
        topic.killer = Killer()
        night(topic, now=SOON)
        assert len(set(topic.ids())) == len(topic.ids()), f"sent twice at once after dying at {done}"
        sweep(topic, AFTER_LEASE)
        assert stored() == undisturbed.stored, f"not the same after dying at {done}"
        assert {alert.alert_id: alert for alert in topic.alerts()} == undisturbed.alerts
        repeated = [alert_id for alert_id in undisturbed.alerts if topic.ids().count(alert_id) > 1]
        # Only what was under way when the process died: SNS had it, and the mark was not made.
        assert set(repeated) == set(sent_by_the_dead) - marked


def test_run__undisturbed__sends_every_alert(undisturbed):
    """The run that the other tests compare with has alerts of several kinds."""
    kinds = [alert.kind.value for alert in undisturbed.alerts.values()]
    assert kinds == ["band_fell", "band_fell", "digest"]
    assert undisturbed.writes.count("PublishBatch") == 2


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.generate],  # shrinking a schedule of a hundred turns takes minutes, and leaves it as hard to read
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_runs__overlapping_and_dying__leave_the_same_and_send_nothing_twice(undisturbed, data):
    """Two runs of the same night take turns at every call, in any order; either may die on the way."""
    undisturbed.tables.bring_back()
    topic = Topic()
    runs = interleaving.run(
        [functools.partial(night, topic), functools.partial(night, topic, now=SOON)],
        choose=interleaving.drawn(data, "run"),
        kill=lambda: data.draw(st.sampled_from([None] * 60 + ["before", "after"]), label="kill"),
    )
    assert len(set(topic.ids())) == len(topic.ids())
    if not any(run.killed for run in runs):
        assert set(topic.ids()) == set(undisturbed.alerts)
    night(topic, now=AFTER_LEASE)
    assert stored() == undisturbed.stored
    assert {alert.alert_id: alert for alert in topic.alerts()} == undisturbed.alerts


@pytest.fixture(autouse=True)
def _in_turns(topic):
    interleaving.watch(dynamodb())
