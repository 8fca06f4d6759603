from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.alerts.model import AlertKind, Evidence, Severity
from healthscore.core.model import Band
from healthscore.core.nightly.digest import digest
from healthscore.core.nightly.run_totals import ALERTS_LISTED, FAILURES_NAMED, MOVERS, RunTotals
from tests.unit.core.alerts.nights import FIRST, instant, snapshot

TONIGHT = FIRST + timedelta(days=1)
AS_OF = instant(TONIGHT)


def totals_of(*scores, failures=()):
    """The totals of accounts with these scores on two nights; None for no snapshot on the first."""
    totals = RunTotals()
    for number, (before, after) in enumerate(scores):
        previous = None if before is None else snapshot(before, FIRST)
        totals.add_score(f"a{number:03}", f"Account {number}", previous, snapshot(after, TONIGHT))
    for account_id, error in failures:
        totals.add_failure(account_id, error)
    return totals


def test_digest__night__says_how_the_accounts_are_and_what_to_start_with():
    totals = totals_of((80, 75), (75, 45), (60, 72), (30, 30), (None, 90))
    totals.alerts.update({AlertKind.BAND_FELL: 1, AlertKind.RECOVERED: 1})
    message = digest(TONIGHT, AS_OF, totals)
    assert message.title == "2026-10-02: 5 accounts, 3 healthy, 1 at risk and 1 critical"
    assert message.why == (
        "5 accounts scored as of 2026-10-02 02:00 UTC. 1 account for the first time. "
        "New alerts: 1 fell to a lower band and 1 healthy now."
    )
    assert message.action == "Start with Account 1 (-30), which fell most. Then see to Account 0 (-5)."
    assert message.evidence == (
        Evidence("Accounts healthy", day=TONIGHT, before=2, after=3),
        Evidence("Accounts at risk", day=TONIGHT, before=1, after=1),
        Evidence("Accounts critical", day=TONIGHT, before=1, after=1),
        Evidence("Account 1", day=TONIGHT, before=75, after=45, since=FIRST),
        Evidence("Account 0", day=TONIGHT, before=80, after=75, since=FIRST),
        Evidence("Account 2", day=TONIGHT, before=60, after=72, since=FIRST),
    )


def test_digest__alerts_of_every_kind_about_accounts__are_all_counted():
    totals = totals_of((80, 80))
    about_accounts = set(AlertKind) - {AlertKind.FLEET_SILENT, AlertKind.DIGEST}
    totals.alerts.update({kind: number for number, kind in enumerate(sorted(about_accounts), start=11)})
    message = digest(TONIGHT, AS_OF, totals).why.partition("New alerts: ")[2]
    assert all(f"{number} " in message for number in range(11, 11 + len(about_accounts)))


def test_digest__alerts_though_no_score_fell__asks_to_look_at_them():
    totals = totals_of((80, 80))
    totals.alerts[AlertKind.SILENT] = 1
    assert digest(TONIGHT, AS_OF, totals).action == "No score fell; see to the new alerts."


def test_digest__any_night__is_one_message_about_the_workspace():
    message = digest(TONIGHT, AS_OF, totals_of((80, 80)))
    assert (message.alert_id, message.account_id, message.kind) == ("2026-10-02-digest", None, AlertKind.DIGEST)
    assert (message.severity, message.band, message.owner, message.created_at) == (Severity.LOW, None, None, AS_OF)


def test_digest__nothing_fell__asks_for_nothing():
    message = digest(TONIGHT, AS_OF, totals_of((80, 80), (70, 71)))
    assert message.action == "No score fell: nothing has to be done."
    assert "No new alerts." in message.why


def test_digest__failures__are_named_and_the_rest_counted():
    failures = [(f"a{number:03}", "KeyError") for number in range(FAILURES_NAMED + 5)]
    message = digest(TONIGHT, AS_OF, totals_of((80, 80), failures=failures))
    assert "25 accounts could not be scored at first: a000 (KeyError), " in message.why
    assert "a019 (KeyError) and 5 more. Until a later try" in message.why


def test_digest__one_failure__is_named():
    message = digest(TONIGHT, AS_OF, totals_of((80, 80), failures=[("acme", "KeyError")]))
    assert message.why.endswith(
        "1 account could not be scored at first: acme (KeyError). "
        "Until a later try succeeds, the score of the night before stands."
    )


@given(
    scores=st.lists(
        st.tuples(st.none() | st.integers(min_value=0, max_value=100), st.integers(min_value=0, max_value=100)),
        max_size=30,
    ),
    cut=st.integers(min_value=0, max_value=30),
)
def test_run_totals__merged_from_parts__is_the_same_as_of_the_whole(scores, cut):
    """However the accounts are split into parts, the digest says the same."""
    whole, part, rest = RunTotals(), RunTotals(), RunTotals()
    for number, (before, after) in enumerate(scores):
        arguments = (
            f"a{number:03}",
            f"Account {number}",
            None if before is None else snapshot(before, FIRST),
            snapshot(after, TONIGHT),
        )
        whole.add_score(*arguments)
        (part if number < cut else rest).add_score(*arguments)
    rest.merge(part)
    assert rest == whole


def test_run_totals__merged__is_complete_only_if_all_parts_are():
    whole, stopped = RunTotals(), RunTotals(complete=False)
    whole.merge(RunTotals())
    assert whole.complete
    whole.merge(stopped)
    assert not whole.complete


def test_run_totals__merged__sums_what_is_counted():
    one = totals_of((80, 80), failures=[("acme", "KeyError")])
    one.not_yet = 2
    one.add_alert("a000", digest(TONIGHT, AS_OF, one))
    total = RunTotals()
    total.merge(one)
    total.merge(one)
    assert total.to_json() == {
        "scored": 2,
        "new": 0,
        "not_yet": 4,
        "failed": 2,
        "bands": {"healthy": 2, "at_risk": 0, "critical": 0},
        "bands_before": {"healthy": 2, "at_risk": 0, "critical": 0},
        "alerts": {"digest": 2},
        "complete": True,
    }
    assert total.to_send == [("a000", "2026-10-02-digest")] * 2


def test_run_totals__many_accounts__stays_small():
    totals = totals_of(*[(50, number % 100) for number in range(300)], failures=[("a", "KeyError")] * 100)
    message = digest(TONIGHT, AS_OF, totals)
    for _ in range(ALERTS_LISTED + 10):
        totals.add_alert("acme", message)
    assert len(totals.up) == len(totals.down) == MOVERS
    assert [mover.change for mover in totals.up] == [49, 49, 49, 48, 48]
    assert [mover.account_id for mover in totals.up[:3]] == ["a099", "a199", "a299"]
    assert len(totals.failures) == FAILURES_NAMED
    assert len(totals.to_send) == ALERTS_LISTED
    assert totals.alerts[AlertKind.DIGEST] == ALERTS_LISTED + 10
    assert totals.bands[Band.HEALTHY] == 90
