"""The alert that does not wait for the night: an account without open tickets of high priority has some now.

It reports a change of the CRM's facts and not of the score, since a ticket costs few points. There is one alert when
their number goes from none to some; while one stays open, further ones bring no alert.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.change import FALLS
from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.alerts.render import BAND_WORDS, in_title
from healthscore.core.model import Component
from healthscore.core.text import counted, moment, sentence
from healthscore.core.time import millis

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from healthscore.core.alerts.render import Subject
    from healthscore.core.model import CrmFacts, Snapshot

_FIELD = "high_priority_open"


def tickets_opened(before: CrmFacts | None, after: CrmFacts) -> bool:
    """Whether the open tickets of high priority went from none to some.

    Both numbers have to be known, and from the same CRM: tickets in the first reading of a CRM may be old.

    Args:
        before: the CRM's facts until now; None where there were none.
        after: the new facts.
    """
    if before is None or before.provider != after.provider or _FIELD in before.unknown | after.unknown:
        return False
    return bool(after.high_priority_open) and not before.high_priority_open


def render_tickets(subject: Subject, before: CrmFacts, since: date, then: Snapshot, now: Snapshot) -> Alert:
    """Write the alert.

    Args:
        subject: the account.
        before: the CRM's facts until now.
        since: the day, in the workspace's zone, on which these were received.
        then: the score as of now that the facts until now would give.
        now: the score; its instant is part of the alert's id, so that a further change on the same day has another id.
    """
    facts = now.facts[Component.CRM]
    number, name = int(facts[_FIELD]), in_title(subject.name)
    scores = f"The score went from {then.score} to {now.score}" if then.score != now.score else _unmoved(now)
    kind = AlertKind.TICKET_OPENED
    return Alert(
        alert_id=f"{alert_id(kind, now.day, subject.account_id)}-{millis(now.as_of)}",
        account_id=subject.account_id,
        kind=kind,
        severity=Severity.HIGH,
        day=now.day,
        created_at=now.as_of,
        title=f"{name}: {_opened(number)}",
        why=f"{counted(number, 'ticket')} of high priority {'is' if number == 1 else 'are'} open, as the CRM said on "
        f"{moment(now.as_of)}; before, there was none. {scores} ({BAND_WORDS[now.band]}).",
        evidence=(
            Evidence("Open high-priority tickets", day=now.day, before=0, after=number, since=since),
            *_open_tickets(before, facts.get("open_tickets"), since, now.day),
            *_scores(then, now),
        ),
        action="Ask support when it will be solved, and tell your contact so today, before they ask you.",
        band=now.band,
        owner=subject.owner,
    )


def merge_tickets(
    opened: Alert | None, found: Sequence[Alert], stored: Collection[str]
) -> tuple[Alert | None, list[Alert]]:
    """Merge the ticket alert into the alert of a drop of the score, where the same facts bring both.

    Args:
        opened: the ticket alert; None where there is none.
        found: the alerts of the score.
        stored: ids of the account's stored alerts of the day. A drop that is stored takes nothing in any more, and a
            ticket alert that is stored is none.

    Returns:
        The alert of the tickets, alone or merged, which is stored together with the facts; and the other alerts.
    """
    if opened is None or opened.alert_id in stored:
        return None, list(found)
    for alert in found:
        if alert.kind in FALLS and alert.alert_id not in stored:
            return with_tickets(alert, opened), [other for other in found if other is not alert]
    return opened, list(found)


def with_tickets(alert: Alert, opened: Alert) -> Alert:
    """An alert of the score with the tickets in it.

    It keeps its kind, id and title, as subscribers to a kind expect.
    """
    shown, tickets = {item.what for item in alert.evidence}, opened.evidence[0]
    return replace(
        alert,
        severity=Severity.HIGH,
        why=f"{sentence(_opened(int(tickets.after or 0)))} {alert.why}",
        evidence=(*(item for item in opened.evidence if item.what not in shown), *alert.evidence),
        action=opened.action,
    )


def _opened(number: int) -> str:
    return "a high-priority ticket was opened" if number == 1 else f"{number:,} high-priority tickets were opened"


def _unmoved(now: Snapshot) -> str:
    return f"The score stays at {now.score}"


def _open_tickets(before: CrmFacts, after: int | None, since: date, day: date) -> tuple[Evidence, ...]:
    if after is None or "open_tickets" in before.unknown or before.open_tickets == after:
        return ()
    return (Evidence("Open tickets", day=day, before=before.open_tickets or 0, after=after, since=since),)


def _scores(then: Snapshot, now: Snapshot) -> tuple[Evidence, ...]:
    health = (then.components.get(Component.CRM), now.components.get(Component.CRM))
    pairs = (("CRM health", *health), ("Score", then.score, now.score))
    return tuple(
        Evidence(what, day=now.day, before=before, after=after, since=then.day)
        for what, before, after in pairs
        if before != after
    )
