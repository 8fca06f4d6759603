"""The digest of a night: the message that a run ends with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.alerts.render import in_title
from healthscore.core.model import Band
from healthscore.core.text import counted, listed, moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from healthscore.core.nightly.run_totals import Mover, RunTotals

_PARTS_NAMED = 20


class Gaps(NamedTuple):
    """What a night lacks."""

    missing: Sequence[int] = ()
    """Numbers of the parts of the accounts that could not be processed to their end, from 0."""
    parts: int = 1
    """How many parts there were."""
    published: bool = True
    """Whether the dataset of the night is made."""


NO_GAPS = Gaps()


def digest(
    day: date,
    as_of: datetime,
    totals: RunTotals,
    *,
    holding: bool = False,
    gaps: Gaps = NO_GAPS,
) -> Alert:
    """Write a night's digest.

    Args:
        day: the night's day in the workspace's time zone.
        as_of: the instant that was scored.
        totals: the totals of the whole night.
        holding: whether alerts are held because of a tracking outage.
        gaps: what the night lacks.
    """
    return Alert(
        alert_id=alert_id(AlertKind.DIGEST, day, None),
        account_id=None,
        kind=AlertKind.DIGEST,
        severity=Severity.LOW,
        day=day,
        created_at=as_of,
        title=f"{day}: {_in_bands(totals)}",
        why=" ".join([*_sentences(as_of, totals, holding), *_missing(gaps)]),
        evidence=(*_bands(day, totals), *(_moved(day, mover) for mover in (*totals.down, *totals.up))),
        action=_action(totals),
    )


def without_names(alert: Alert) -> Alert:
    """The digest without any account's name, for when one of the named accounts was erased; its figures stay."""
    return replace(
        alert,
        why="An account that this digest named was erased since, so its names were removed.",
        evidence=tuple(item for item in alert.evidence if item.since is None),
        action="See the summary for what moved.",
    )


def _action(totals: RunTotals) -> str:
    if totals.down:
        most, *others = [f"{in_title(mover.name)} ({mover.change:+})" for mover in totals.down]
        then = f" Then see to {listed(others)}." if others else ""
        return f"Start with {most}, which fell most.{then}"
    if totals.troubles:
        return f"No score fell; begin with {in_title(totals.troubles[0].name)}, which was in trouble before."
    if any(number and kind is not AlertKind.RECOVERED for kind, number in totals.alerts.items()):
        return "No score fell; see to the new alerts."
    return "No score fell: nothing has to be done."


def _in_bands(totals: RunTotals) -> str:
    bands = [f"{totals.bands[band]:,} {word}" for band, word in _BANDS]
    return f"{counted(totals.scored, 'account')}, {listed(bands)}"


_KINDS = {
    AlertKind.BAND_FELL: "fell to a lower band",
    AlertKind.SCORE_FELL: "lost many points",
    AlertKind.SILENT: "fell silent",
    AlertKind.DECLINING: "declining",
    AlertKind.SNOOZE_OVER: "not well after a snooze",
    AlertKind.TICKET_OPENED: "with a high-priority ticket",
    AlertKind.RECOVERED: "healthy now",
}
"""How the digest counts alerts of accounts, the worst kind first."""
_BANDS = ((Band.HEALTHY, "healthy"), (Band.AT_RISK, "at risk"), (Band.CRITICAL, "critical"))


def _sentences(as_of: datetime, totals: RunTotals, holding: bool) -> list[str]:
    sentences = [f"{counted(totals.scored, 'account')} scored as of {moment(as_of)}."]
    if totals.new:
        sentences.append(f"{counted(totals.new, 'account')} for the first time.")
    kinds = [f"{totals.alerts[kind]:,} {words}" for kind, words in _KINDS.items() if totals.alerts.get(kind)]
    sentences.append(f"New alerts: {listed(kinds)}." if kinds else "No new alerts.")
    if totals.troubles:
        named = [f"{in_title(one.name)} ({one.trouble})" for one in totals.troubles]
        if totals.in_trouble > len(named):
            named.append(f"{totals.in_trouble - len(named):,} more")
        sentences.append(f"In trouble since before their first night here, which is told this once: {listed(named)}.")
    if holding:
        sentences.append("Those of accounts that are out of sight are held: most accounts fell silent at once.")
    if totals.failed:
        named = [f"{account_id} ({error})" for account_id, error in sorted(totals.failures)]
        if totals.failed > len(named):
            named.append(f"{totals.failed - len(named):,} more")
        sentences.append(
            f"{counted(totals.failed, 'account')} could not be scored at first: {listed(named)}. "
            "Until a later try succeeds, the score of the night before stands."
        )
    return sentences


def _missing(gaps: Gaps) -> list[str]:
    sentences, missing = [], gaps.missing
    if missing:
        named = [str(number) for number in missing[:_PARTS_NAMED]]
        if len(missing) > len(named):
            named.append(f"{len(missing) - len(named):,} more")
        which = f"{counted(len(missing), 'part')} of {gaps.parts:,} could not be finished"
        sentences.append(f"{which}, by number: {listed(named)}. Their accounts keep the scores of the night before.")
    if not gaps.published:
        sentences.append("The dataset of this night could not be made; its newest night is an earlier one.")
    return sentences


def _bands(day: date, totals: RunTotals) -> list[Evidence]:
    return [
        Evidence(f"Accounts {word}", day=day, before=totals.bands_before[band], after=totals.bands[band])
        for band, word in _BANDS
    ]


def _moved(day: date, mover: Mover) -> Evidence:
    return Evidence(in_title(mover.name), day=day, before=mover.before, after=mover.after, since=mover.since)
