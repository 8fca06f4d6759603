"""Last stage: the words of an alert. What happened, since when, what explains it, and what to do about it today."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.alerts.acknowledgement import AcknowledgementStatus
from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.alerts.rules import last_seen
from healthscore.core.alerts.week import WEEK
from healthscore.core.explain.advice import LABELS
from healthscore.core.explain.causes_crm import main_reason
from healthscore.core.explain.drivers import drivers
from healthscore.core.model import Band, Component
from healthscore.core.rounding import decimal_number
from healthscore.core.scoring.crm import CrmReason
from healthscore.core.scoring.standard import band
from healthscore.core.text import capitalized, counted, elapsed, figure, moment, one_line, sentence, signed
from healthscore.core.time import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.core.alerts.acknowledgement import Acknowledgement
    from healthscore.core.alerts.change import Change
    from healthscore.core.explain.drivers import Driver
    from healthscore.core.model import Snapshot

_NAME_CHARACTERS = 44
"""Titles cut a longer name, so that the rest of the title still fits a mail's subject."""

_WRITTEN_OUT = 3
"""As many characters may stand for one beyond ASCII, such as EUR."""
BAND_WORDS = {Band.HEALTHY: "healthy", Band.AT_RISK: "at risk", Band.CRITICAL: "critical"}


@dataclass(frozen=True, slots=True)
class Subject:
    """The account that an alert is about, as people know it."""

    account_id: str
    name: str
    owner: str | None
    """The person who looks after the account; None if the profile names nobody."""


def render(
    change: Change,
    subject: Subject,
    then: Snapshot,
    now: Snapshot,
    known: Snapshot | None = None,
    *,
    first_time: bool = False,
) -> Alert:
    """Write an alert.

    Args:
        change: what happened.
        subject: the account.
        then: the snapshot of `change.since`, or another that was kept: the causes are worked out against it.
        now: tonight's snapshot.
        known: the same instant as `then`, of what is known now; None where nothing has come in late.
        first_time: whether the account was healthy on no night before.
    """
    name = in_title(subject.name)
    moved = _in_direction(change.kind, drivers(then, now, known))
    beside_silence = _in_direction(change.kind, drivers(then, now, known, silence_named=True))
    main = _RENDERERS[change.kind](name, change, now)
    if first_time and change.kind is AlertKind.RECOVERED:
        title = f"{name} reached healthy for the first time: {now.score}"
        main = replace(main, title=title, why=f"{main.why} It was healthy on no night before.")
    merged = [_RENDERERS[other.kind](name, other, now) for other in change.merged]
    kinds = [change.kind, *(other.kind for other in change.merged)]
    why = [*_acknowledged_by(change.acknowledgement, now), main.why, *(other.when_merged for other in merged)]
    causes = moved
    if AlertKind.SILENT in kinds:
        causes = beside_silence
    elif sum(whole != short for whole, short in zip(moved, beside_silence, strict=True)) > 1:
        why, causes = [*why, _unseen(now)], beside_silence
    figures = [figure for rendered in (main, *merged) for figure in rendered.figures]
    return Alert(
        alert_id=alert_id(change.kind, now.day, subject.account_id),
        account_id=subject.account_id,
        kind=change.kind,
        severity=_severity(change.kind, now.band),
        day=now.day,
        created_at=now.as_of,
        title=main.title,
        why="\n".join([" ".join(why), *([_what_moved(causes, then)] if causes else [])]),
        evidence=(*dict.fromkeys(figures), *(_component(driver, then, now) for driver in moved)),
        action=_action(AlertKind.SILENT if AlertKind.SILENT in kinds else change.kind, name, moved, then, now),
        band=now.band,
        owner=subject.owner,
        merged=tuple(kinds[1:]),
    )


def called(account_id: str, name: str) -> str:
    """What an account is called: its name, or its id where there is nothing to read in the name."""
    texts = (one_line(text) for text in (name, account_id))
    return next((text for text in texts if any(map(str.isalnum, text))), one_line(account_id) or account_id)


def in_title(name: str) -> str:
    """An account's name, cut to the length that titles have room for, also where they are written in ASCII."""
    room = _NAME_CHARACTERS
    for position, character in enumerate(name):
        room -= 1 if character.isascii() else max(_WRITTEN_OUT, len(unicodedata.normalize("NFKD", character)))
        if room < 0:
            return name[: max(min(position, _NAME_CHARACTERS - 1), 1)].rstrip() + "…"
    return name


def _severity(kind: AlertKind, current: Band) -> Severity:
    if kind is AlertKind.RECOVERED:
        return Severity.LOW
    return Severity.HIGH if current is Band.CRITICAL else Severity.MEDIUM


def _in_direction(kind: AlertKind, moved: Sequence[Driver]) -> list[Driver]:
    """The drivers that moved the score the way of the change, largest first; the others do not explain it."""
    sign = 1 if kind is AlertKind.RECOVERED else -1
    return [driver for driver in moved if sign * driver.hundredths > 0]


def _what_moved(moved: Sequence[Driver], then: Snapshot) -> str:
    """For each component its points, and the cause as a sentence of its own, since causes have clauses and brackets."""
    lines = [
        f"{LABELS[driver.component]} {signed(Fraction(driver.hundredths, 100))}. {sentence(driver.cause)}"
        for driver in moved
    ]
    first, *others = lines
    return "\n".join([f"What moved it since {then.day}, in points: {first}", *map(capitalized, others)])


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A change in words and figures, without its causes."""

    title: str
    why: str
    figures: tuple[Evidence, ...]
    when_merged: str = ""
    """The sentence that takes the place of `why` in the alert of a graver change."""


def _band_fell(name: str, change: Change, now: Snapshot) -> _Rendered:
    return _Rendered(
        title=f"{name} fell to {BAND_WORDS[now.band]}: {now.score}",
        why=f"{_from_to(change, now)}, from {_band_before(change)} to {BAND_WORDS[now.band]}.",
        figures=_score_and_band(change, now),
    )


def _score_fell(name: str, change: Change, now: Snapshot) -> _Rendered:
    days = max((now.day - change.since) // DAY, 1)
    lost, time = counted(int(change.before) - now.score, "point"), counted(days, "day")
    return _Rendered(
        title=f"{name} lost {lost} in {time}: {change.before} to {now.score}",
        why=f"{_from_to(change, now)}: {lost} lost in {time}.",
        figures=_score_and_band(change, now),
        when_merged=f"That is {lost} lost in {time}, from {change.before} on {change.since}.",
    )


def _declining(name: str, change: Change, now: Snapshot) -> _Rendered:
    mean, below = figure(change.before), figure(change.before - now.score)
    against = f"the mean of the nights of the {WEEK} days before"
    return _Rendered(
        title=f"{name} is declining: {now.score}, {below} below its weekly mean",
        why=f"The score is {now.score} on {now.day}, {below} points below {mean}, {against}.",
        figures=(
            Evidence(f"Score, from {against}", day=now.day, before=decimal_number(change.before), after=now.score),
        ),
        when_merged=f"It lies {below} points below {mean}, {against}.",
    )


def _silent(name: str, change: Change, now: Snapshot) -> _Rendered:
    unseen, seen = _unseen(now), _seen(now)
    return _Rendered(
        title=f"{name} has been silent for {counted((now.as_of - seen) // DAY, 'day')}",
        why=f"{unseen} The score went from {change.before} on {change.since} to {now.score} ({BAND_WORDS[now.band]}).",
        figures=(
            Evidence("Last event", day=now.day, before=None, after=moment(seen)),
            *_score_and_band(change, now),
        ),
        when_merged=unseen,
    )


def _unseen(now: Snapshot) -> str:
    seen = _seen(now)
    return f"Nobody has been seen since {moment(seen)}, {elapsed(now.as_of - seen)} before this night's run."


def _seen(now: Snapshot) -> datetime:
    seen = last_seen(now)
    if seen is None:
        raise ValueError("an account that was never seen cannot have fallen silent")
    return seen


def _recovered(name: str, change: Change, now: Snapshot) -> _Rendered:
    return _Rendered(
        title=f"{name} is healthy again: {now.score}",
        why=f"{_from_to(change, now)}, from {_band_before(change)} to {BAND_WORDS[now.band]}.",
        figures=_score_and_band(change, now),
    )


def _snooze_over(name: str, change: Change, now: Snapshot) -> _Rendered:
    is_now = "not back yet" if now.band is Band.HEALTHY else f"still {BAND_WORDS[now.band]}"
    return _Rendered(
        title=f"{name} is {is_now}: {now.score}",
        why=f"{_from_to(change, now)}.",
        figures=_score_and_band(change, now),
    )


_RENDERERS = {
    AlertKind.BAND_FELL: _band_fell,
    AlertKind.SCORE_FELL: _score_fell,
    AlertKind.DECLINING: _declining,
    AlertKind.SILENT: _silent,
    AlertKind.RECOVERED: _recovered,
    AlertKind.SNOOZE_OVER: _snooze_over,
}


def _acknowledged_by(acknowledgement: Acknowledgement | None, now: Snapshot) -> list[str]:
    """The sentence on the acknowledgement that has ended: who made it, and what ended it."""
    if acknowledgement is None:
        return []
    until = f" until {moment(acknowledgement.until)}" if acknowledgement.status is AcknowledgementStatus.SNOOZED else ""
    reason = f' ("{acknowledgement.reason}")' if acknowledgement.reason else ""
    why = (
        "that time is over"
        if acknowledgement.until <= now.as_of
        else f"it has got worse since, from {acknowledgement.score}"
    )
    who, when = f"{acknowledgement.by} {acknowledgement.status.value}", moment(acknowledgement.at)
    return [f"{who} this account's trouble on {when}{until}{reason}; {why}."]


def _from_to(change: Change, now: Snapshot) -> str:
    return f"The score went from {change.before} on {change.since} to {now.score} on {now.day}"


def _band_before(change: Change) -> str:
    return BAND_WORDS[band(int(change.before))]


def _score_and_band(change: Change, now: Snapshot) -> tuple[Evidence, ...]:
    score = int(change.before)
    moved = Evidence("Score", day=now.day, before=score, after=now.score, since=change.since)
    if band(score) is now.band:
        return (moved,)
    bands = (BAND_WORDS[band(score)], BAND_WORDS[now.band])
    return (moved, Evidence("Band", day=now.day, before=bands[0], after=bands[1], since=change.since))


def _component(driver: Driver, then: Snapshot, now: Snapshot) -> Evidence:
    return Evidence(
        what=sentence(f"{LABELS[driver.component]} score: {driver.cause}").removesuffix("."),
        day=now.day,
        before=driver.score_then,
        after=driver.score_now,
        since=then.day,
    )


_ACTIONS = {
    Component.ACTIVITY: "{reach} and find out who uses the product less, and why.",
    Component.ENGAGEMENT: "{reach}: have a regular user show you a recent visit, and clear what gets in the way.",
    Component.MILESTONES: "Check whether the milestones in the settings were meant to change; "
    "if so, nothing is wrong at {name}.",
    Component.RECENCY: "{reach} with one concrete reason to come back.",
    Component.CRM: "{reach} about what the CRM shows.",
}
"""What to do about a fall, by the component that lost most."""
_TICKETS = "{reach}: say who sees to the open tickets, and until when."
_CRM_ACTIONS = {
    CrmReason.HIGH_PRIORITY_TICKET: "{reach}: say who sees to the high-priority ticket, and until when.",
    CrmReason.FEW_TICKETS: _TICKETS,
    CrmReason.MANY_TICKETS: _TICKETS,
    CrmReason.EMAIL: "{reach} and agree on a meeting, since the last one is long ago.",
    CrmReason.CONTACT: "{reach} and agree on a meeting, since nobody has met or written to them lately.",
    CrmReason.NO_CONTACT: "{reach} and agree on a meeting, since nobody has been in contact lately.",
    CrmReason.STALE_DEAL: "{reach} about the deal, which nobody has moved lately.",
    CrmReason.NO_DEAL: "{reach} about going on together, since no deal is active.",
    CrmReason.CHURNED: "Ask whoever marked {name} as churned in the CRM whether that is final, and note why.",
}
"""The same for the CRM, by what its part shows that lost most."""


def _action(kind: AlertKind, name: str, moved: Sequence[Driver], then: Snapshot, now: Snapshot) -> str:
    if kind is AlertKind.RECOVERED:
        return f"Thank your contact at {name}, ask what made the difference, and note it for the next account at risk."
    if kind is AlertKind.SILENT:
        return (
            f"Make sure that tracking of {name} still arrives, then call your contact today: "
            "did something break, did somebody leave, or is the work done elsewhere now?"
        )
    main = moved[0].component if moved else min(now.components, key=lambda component: now.components[component])
    reach = f"Call {name} today" if now.band is Band.CRITICAL else f"Get in touch with {name} today"
    reason = main_reason(then, now) if main is Component.CRM else None
    action = _ACTIONS[main] if reason is None else _CRM_ACTIONS.get(reason, _ACTIONS[main])
    return action.format(reach=reach, name=name)
