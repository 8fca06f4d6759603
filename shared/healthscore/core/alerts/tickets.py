"""The alert that cannot wait for the night: a ticket of high priority was opened at an account that had none open.

It tells a change of what the CRM says, not of the score: a ticket costs few points, and is news all the same. It is
told once when their number goes from none to some; while one stays open, further ones are the same trouble and no news.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.alerts.render import BAND_WORDS, in_title
from healthscore.core.model import Component
from healthscore.core.text import counted, moment, sentence
from healthscore.core.time import millis

if TYPE_CHECKING:
    from datetime import date

    from healthscore.core.alerts.render import Subject
    from healthscore.core.model import CrmFacts, Snapshot

_FIELD = "high_priority_open"


def tickets_opened(before: CrmFacts | None, after: CrmFacts) -> bool:
    """Whether the open tickets of high priority went from none to some.

    Both have to be known, and said by the same CRM: what becomes known for the first time was there before.

    Args:
        before: what was said until now; None where nothing was.
        after: what is said now.
    """
    if before is None or before.provider != after.provider or _FIELD in before.unknown | after.unknown:
        return False
    return bool(after.high_priority_open) and not before.high_priority_open


def render_tickets(subject: Subject, before: CrmFacts, since: date, then: Snapshot, now: Snapshot) -> Alert:
    """Write the alert.

    Args:
        subject: whom it is about.
        before: what the CRM said until now.
        since: the day, in the workspace's zone, since when it had said so.
        then: the score as of now, if the CRM still said what it said before.
        now: the score as it is; its instant makes the alert's id, so that a further change of the same day has another.
    """
    said = now.facts[Component.CRM]
    number, name = int(said[_FIELD]), in_title(subject.name)
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
            *_open_tickets(before, said.get("open_tickets"), since, now.day),
            *_scores(then, now),
        ),
        action="Ask support when it will be solved, and tell your contact so today, before they ask you.",
        band=now.band,
        owner=subject.owner,
    )


def with_tickets(alert: Alert, opened: Alert) -> Alert:
    """Another alert of the same moment with the tickets in it, so that one message tells of both.

    It keeps the other's kind, id and title, as those that subscribe to a kind expect.
    """
    told, tickets = {item.what for item in alert.evidence}, opened.evidence[0]
    return replace(
        alert,
        severity=Severity.HIGH,
        why=f"{sentence(_opened(int(tickets.after or 0)))} {alert.why}",
        evidence=(*(item for item in opened.evidence if item.what not in told), *alert.evidence),
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
