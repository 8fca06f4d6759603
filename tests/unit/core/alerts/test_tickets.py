"""The alert of high-priority tickets: when there is one, its words, and how it merges into another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from healthscore.core.alerts.change import Change
from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity
from healthscore.core.alerts.render import Subject, render
from healthscore.core.alerts.tickets import merge_tickets, render_tickets, tickets_opened, with_tickets
from healthscore.core.model import CrmFacts
from healthscore.services.notifications.render import message
from tests.unit.core.alerts.nights import DRIFTING, FIRST, instant, lived

TODAY = FIRST + timedelta(days=3)
ACME = Subject("acme", "Acme Ltd", "ana@example.com")
COMMERCE = frozenset({"active_deal", "churned"})


def crm(high: int | None = None, tickets: int | None = None, provider: str | None = "hubspot") -> CrmFacts:
    """CRM facts with these tickets; unknown where no number is given."""
    counts = {"high_priority_open": high, "open_tickets": tickets}
    known = {name: number for name, number in counts.items() if number is not None}
    unknown = COMMERCE | (counts.keys() - known.keys())
    return CrmFacts(instant(FIRST), provider=provider, last_meeting_at=instant(FIRST), unknown=unknown, **known)


def alert_of(before: CrmFacts, after: CrmFacts) -> Alert:
    """The alert of an account that thrives apart from its tickets."""
    then, now = (lived(TODAY, crm=facts) for facts in (before, after))
    return render_tickets(ACME, before, FIRST, then, now)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (crm(0, 0), crm(1, 1), True),
        (crm(0, 4), crm(2, 6), True),
        (crm(1, 1), crm(2, 2), False),
        (crm(1, 1), crm(1, 3), False),
        (crm(2, 2), crm(0, 0), False),
        (crm(0, 0), crm(0, 3), False),
        (crm(0, 0), crm(None), False),
        (crm(None), crm(1, 1), False),
        (crm(0, 0, provider=None), crm(1, 1), False),
        (crm(0, 0, provider="attio"), crm(1, 1), False),
        (None, crm(1, 1), False),
    ],
    ids=[
        "none-to-one",
        "none-to-several",
        "one-more",
        "others",
        "all-closed",
        "low-priority-only",
        "no-longer-known",
        "known-now",
        "by-hand-before",
        "another-crm-before",
        "no-facts-before",
    ],
)
def test_tickets_opened__facts_before_and_after__is_a_change_from_none_to_some(before, after, expected):
    assert tickets_opened(before, after) is expected


def test_render_tickets__one_ticket__says_what_changed_and_what_to_do():
    alert = alert_of(crm(0, 1), crm(1, 2))
    assert (alert.kind, alert.severity, alert.owner) == (AlertKind.TICKET_OPENED, Severity.HIGH, "ana@example.com")
    assert alert.title == "Acme Ltd: a high-priority ticket was opened"
    assert alert.why == (
        "1 ticket of high priority is open, as the CRM said on 2026-10-04 02:00 UTC; before, there was none. "
        "The score went from 82 to 78 (healthy)."
    )
    assert alert.evidence == (
        Evidence("Open high-priority tickets", day=TODAY, before=0, after=1, since=FIRST),
        Evidence("Open tickets", day=TODAY, before=1, after=2, since=FIRST),
        Evidence("CRM health", day=TODAY, before=80, after=50, since=TODAY),
        Evidence("Score", day=TODAY, before=82, after=78, since=TODAY),
    )
    assert alert.action.startswith("Ask support when it will be solved")


def test_render_tickets__several_tickets__counts_them():
    alert = alert_of(crm(0), crm(3))
    assert alert.title == "Acme Ltd: 3 high-priority tickets were opened"
    assert alert.why.startswith("3 tickets of high priority are open")


def test_render_tickets__tickets_that_cost_nothing__says_that_the_score_stays():
    alert = alert_of(crm(0), crm(1))
    assert "The score stays at" in alert.why
    assert [item.what for item in alert.evidence] == ["Open high-priority tickets"]


def test_render_tickets__two_changes_of_one_day__have_two_ids():
    first = alert_of(crm(0, 0), crm(1, 1))
    then, now = lived(TODAY, crm=crm(0, 0)), lived(TODAY, crm=crm(1, 1))
    later = render_tickets(ACME, crm(0, 0), FIRST, then, replace(now, as_of=now.as_of + timedelta(hours=2)))
    assert first.alert_id != later.alert_id
    assert first.alert_id.startswith("2026-10-04-ticket_opened-")


def test_render_tickets__as_a_message__fits_a_subject_and_an_sms():
    texts = message(alert_of(crm(0, 0), crm(1, 1)))
    assert texts.subject == "[high] Acme Ltd: a high-priority ticket was opened"
    assert texts.sms == (
        "Acme Ltd: a high-priority ticket was opened. "
        "Ask support when it will be solved, and tell your contact so today, before they ask you."
    )
    assert texts.attributes["kind"] == "ticket_opened"


def test_with_tickets__a_fallen_band__is_one_alert_of_both():
    then = lived(FIRST, crm=crm(0, 0))
    before, after = crm(0, 0), crm(2, 2)
    now = lived(TODAY, crm=after, **DRIFTING)
    fell = render(Change(AlertKind.BAND_FELL, then.score, then.day), ACME, then, now)
    both = with_tickets(fell, render_tickets(ACME, before, FIRST, lived(TODAY, crm=before, **DRIFTING), now))
    assert (both.alert_id, both.kind, both.title) == (fell.alert_id, AlertKind.BAND_FELL, fell.title)
    assert (fell.severity, both.severity) == (Severity.MEDIUM, Severity.HIGH)
    assert both.why == f"2 high-priority tickets were opened. {fell.why}"
    assert both.evidence[0].what == "Open high-priority tickets"
    assert [item.what for item in both.evidence].count("Score") == 1
    assert set(fell.evidence) < set(both.evidence)
    assert both.action.startswith("Ask support")


def test_merge_tickets__drop_of_the_same_facts__takes_the_tickets_in():
    tickets, fell, recovered = alert_of(crm(0, 0), crm(1, 1)), score_alert("band_fell"), score_alert("recovered")
    assert merge_tickets(None, [fell], ()) == (None, [fell])
    assert merge_tickets(tickets, [fell, recovered], ()) == (with_tickets(fell, tickets), [recovered])
    assert merge_tickets(tickets, [recovered], ()) == (tickets, [recovered])


def test_merge_tickets__stored_alerts__neither_take_tickets_in_nor_come_again():
    tickets, fell = alert_of(crm(0, 0), crm(1, 1)), score_alert("band_fell")
    assert merge_tickets(tickets, [fell], {fell.alert_id}) == (tickets, [fell])
    assert merge_tickets(tickets, [fell], {tickets.alert_id}) == (None, [fell])


def score_alert(kind: str) -> Alert:
    """An alert of the score."""
    return render(Change(AlertKind(kind), 60, FIRST), ACME, lived(FIRST), lived(TODAY))
