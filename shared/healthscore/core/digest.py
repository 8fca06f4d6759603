"""The night in short: what a run counts, and the digest that it ends with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.model import Band
from healthscore.core.words import counted, listed, moment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from healthscore.core.model import Snapshot

MOVERS = 5
"""Accounts that the digest names for having risen most, and as many for having fallen most."""
FAILURES_NAMED = 20
ALERTS_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Mover:
    """An account whose score changed since its snapshot before."""

    account_id: str
    name: str
    since: date
    before: int
    after: int

    @property
    def change(self) -> int:
        """Points gained; lost points are negative."""
        return self.after - self.before


@dataclass(slots=True)
class Tally:
    """What a run, or one segment of it, has counted so far. It stays small however many accounts there are."""

    scored: int = 0
    """Accounts that have tonight's snapshot, whether this run took it or an earlier try of the same night."""
    new: int = 0
    """Those of them that had no snapshot before."""
    not_yet: int = 0
    """Accounts that did not exist at the instant that is scored."""
    failed: int = 0
    bands: Counter[Band] = field(default_factory=Counter)
    bands_before: Counter[Band] = field(default_factory=Counter)
    """The bands of the snapshots before tonight's."""
    alerts: Counter[AlertKind] = field(default_factory=Counter)
    """Alerts of tonight, whether this run stored them or an earlier try of the same night."""
    to_send: list[tuple[str, str]] = field(default_factory=list)
    """Account and alert id of the first of these alerts, so that sending them need not wait for an index to know."""
    up: list[Mover] = field(default_factory=list)
    down: list[Mover] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Account and kind of error of the first failures."""
    complete: bool = True
    """False where the run stopped before it had seen every account."""

    def add_score(self, account_id: str, name: str, previous: Snapshot | None, current: Snapshot) -> None:
        """Count an account that has tonight's snapshot."""
        self.scored += 1
        self.bands[current.band] += 1
        if previous is None:
            self.new += 1
            return
        self.bands_before[previous.band] += 1
        self._add_movers([Mover(account_id, name, previous.day, previous.score, current.score)])

    def add_alert(self, account_id: str, alert: Alert) -> None:
        """Count an alert of tonight."""
        self.alerts[alert.kind] += 1
        if len(self.to_send) < ALERTS_LISTED:
            self.to_send.append((account_id, alert.alert_id))

    def add_failure(self, account_id: str, error: str) -> None:
        """Count an account that could not be scored."""
        self.failed += 1
        self.failures = [*self.failures, (account_id, error)][:FAILURES_NAMED]

    def merge(self, other: Tally) -> None:
        """Count what another segment has counted as well."""
        self.scored += other.scored
        self.new += other.new
        self.not_yet += other.not_yet
        self.failed += other.failed
        self.bands.update(other.bands)
        self.bands_before.update(other.bands_before)
        self.alerts.update(other.alerts)
        self.to_send = [*self.to_send, *other.to_send][:ALERTS_LISTED]
        self.failures = [*self.failures, *other.failures][:FAILURES_NAMED]
        self.complete = self.complete and other.complete
        self._add_movers([*other.up, *other.down])

    def _add_movers(self, movers: Iterable[Mover]) -> None:
        for mover in movers:
            if mover.change > 0:
                self.up = _foremost([*self.up, mover])
            elif mover.change < 0:
                self.down = _foremost([*self.down, mover])

    def to_json(self) -> dict[str, Any]:
        """The figures, for logs and for who invoked the run."""
        return {
            "scored": self.scored,
            "new": self.new,
            "not_yet": self.not_yet,
            "failed": self.failed,
            "bands": {band.value: self.bands[band] for band in Band},
            "bands_before": {band.value: self.bands_before[band] for band in Band},
            "alerts": {kind.value: self.alerts[kind] for kind in AlertKind if self.alerts[kind]},
            "complete": self.complete,
        }


def _foremost(movers: list[Mover]) -> list[Mover]:
    """The largest moves; which accounts they are does not depend on the order in which they were counted."""
    return sorted(movers, key=lambda mover: (-abs(mover.change), mover.account_id))[:MOVERS]


def digest(day: date, as_of: datetime, tally: Tally) -> Alert:
    """The message that a night ends with."""
    fell = [f"{mover.name} ({mover.change:+})" for mover in tally.down]
    return Alert(
        alert_id=alert_id(AlertKind.DIGEST, day, None),
        account_id=None,
        kind=AlertKind.DIGEST,
        severity=Severity.LOW,
        day=day,
        created_at=as_of,
        title=f"{day}: {_in_bands(tally)}",
        why=" ".join(_sentences(as_of, tally)),
        evidence=(*_bands(day, tally), *(_moved(day, mover) for mover in (*tally.down, *tally.up))),
        action=f"Start with what fell most: {listed(fell)}." if fell else "No score fell: nothing has to be done.",
    )


def _in_bands(tally: Tally) -> str:
    parts = [f"{tally.bands[band]:,} {word}" for band, word in _BANDS]
    return f"{counted(tally.scored, 'account')}, {listed(parts)}"


_BANDS = ((Band.HEALTHY, "healthy"), (Band.AT_RISK, "at risk"), (Band.CRITICAL, "critical"))


def _sentences(as_of: datetime, tally: Tally) -> list[str]:
    sentences = [f"{counted(tally.scored, 'account')} scored as of {moment(as_of)}."]
    if tally.new:
        sentences.append(f"{counted(tally.new, 'account')} for the first time.")
    kinds = [f"{number:,} {kind.value}" for kind, number in sorted(tally.alerts.items())]
    sentences.append(f"New alerts: {listed(kinds)}." if kinds else "No new alerts.")
    if tally.failed:
        named = [f"{account_id} ({error})" for account_id, error in sorted(tally.failures)]
        if tally.failed > len(named):
            named.append(f"{tally.failed - len(named):,} more")
        sentences.append(
            f"{counted(tally.failed, 'account')} could not be scored and will be tried again: {listed(named)}."
        )
    return sentences


def _bands(day: date, tally: Tally) -> list[Evidence]:
    return [
        Evidence(f"Accounts {word}", day=day, before=tally.bands_before[band], after=tally.bands[band])
        for band, word in _BANDS
    ]


def _moved(day: date, mover: Mover) -> Evidence:
    return Evidence(mover.name, day=day, before=mover.before, after=mover.after, since=mover.since)
