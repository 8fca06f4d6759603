"""Scores on demand: reads the facts of an account as of an instant, for the pure core to score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore.core.account import RECENT_NIGHTS
from healthscore.core.day_log.first_seen import OTHERS
from healthscore.core.health import assess
from healthscore.core.model import Facts, Milestone
from healthscore.core.scoring.standard import WINDOW_DAYS
from healthscore.core.time import DAY, day_of, from_millis, parse_instant
from healthscore.storage.accounts import history, more_names
from healthscore.storage.crm import connections
from healthscore.storage.day_logs import rollups

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.account import Account
    from healthscore.core.health import Health
    from healthscore.core.model import CrmFacts, DailyScore, DayRollup, Snapshot
    from healthscore.settings import Settings


@dataclass(frozen=True, slots=True)
class Nights:
    """The scores of the nights before an instant."""

    recent: tuple[DailyScore, ...]
    """Scores of nights before the instant's day, oldest first; at least those of the last `RECENT_NIGHTS` days."""
    previous: Snapshot | None
    """The last snapshot before the instant."""


def assess_account(account: Account, as_of: datetime, settings: Settings) -> Health:
    """The score of an account as of now or any past instant within retention, with everything that explains it.

    It reads consistently: an event that was answered 200 before this call counts.

    Args:
        account: the account as read.
        as_of: aware.
        settings: the workspace's settings.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    facts = replace(gather_facts(account, as_of, settings, consistent=True), crm_synced_at=_crm_synced_at(account))
    nights = gather_nights(account, as_of, facts.as_of_day, until=facts.as_of_day)
    return assess(account.account_id, facts, nights.recent, nights.previous)


def gather_facts(account: Account, as_of: datetime, settings: Settings, *, consistent: bool) -> Facts:
    """The facts of an account as of an instant (scoring rules 4, 7, 8, 9 and 10).

    One query reads the days of the window and the day before it, whose events may still lie within 30 times 24 hours.
    Two cases cost one more: none of these days has an event, so the last active day before them is read; or the as-of
    day has events after the instant, so that day's log is read.

    Args:
        account: the account as read.
        as_of: aware.
        settings: the workspace's settings.
        consistent: whether the activity must include what was committed a moment ago.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    today = day_of(as_of, settings.zone)
    oldest = today - timedelta(days=WINDOW_DAYS)
    found = rollups.rollups(account.account_id, oldest, today, consistent=consistent, names=False, not_counted=True)
    days = [day for day in found if day.events]
    if days and days[-1].day == today and days[-1].last_at > as_of:
        until = rollups.rollup_until(account.account_id, today, as_of)
        days[-1:] = found[-1:] = [] if until is None else [until]
    window = [day for day in days if day.day > oldest]
    return Facts(
        as_of=as_of,
        as_of_day=today,
        events=sum(day.events for day in window),
        sessions=sum(day.sessions for day in window),
        session_events=sum(day.session_events for day in window),
        session_ms=sum(day.session_ms for day in window),
        days_active=len(window),
        last_seen_at=_last_seen(account, days, oldest, consistent=consistent),
        milestones=_milestones(account, as_of, settings, consistent=consistent),
        configured_milestones=settings.milestones,
        crm=_crm(account, as_of),
        not_counted=sum(day.not_counted for day in found if day.day > oldest),
    )


def gather_nights(account: Account, as_of: datetime, today: date, *, until: date) -> Nights:
    """The scores of the nights before an instant: from the account itself for now, from its history for the past.

    Args:
        account: the account as read.
        as_of: the instant.
        today: the instant's day in the workspace's time zone; `recent` has scores of days before it.
        until: the last day whose snapshot may be the previous one: today for a score on demand, which compares with
            the last night, and the day before for a nightly run, whose own snapshot may be stored already.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    oldest = today - timedelta(days=RECENT_NIGHTS)
    latest, recent = account.latest, account.recent
    if latest is None or (latest.as_of < as_of and latest.day <= until):
        whole = len(recent) < RECENT_NIGHTS or recent[0].day <= oldest
        if whole:
            return Nights(tuple(daily for daily in recent if daily.day < today), latest)
    kept = history.snapshots(account.account_id, oldest, today, consistent=True)
    earlier = [snapshot for snapshot in kept if snapshot.as_of < as_of and snapshot.day <= until]
    previous = earlier[-1] if earlier else history.snapshot_before(account.account_id, oldest)
    return Nights(tuple(snapshot.daily for snapshot in kept if snapshot.day < today), previous)


def snapshot_before(account: Account, day: date) -> Snapshot | None:
    """The newest snapshot of a day before `day`, or None.

    The account's item answers without a call where its latest score is of the day just before. Otherwise the history is
    read: a night that was killed may have kept a snapshot and stored alerts about it, without saving it in the item.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    if account.latest is not None and account.latest.day == day - DAY:
        return account.latest
    return history.snapshot_before(account.account_id, day)


def _last_seen(account: Account, days: list[DayRollup], oldest: date, *, consistent: bool) -> datetime | None:
    if days:
        return days[-1].last_at
    if not account.first_seen:
        return None
    before = rollups.last_rollup_before(account.account_id, oldest, consistent=consistent)
    return before.last_at if before else None


def _milestones(account: Account, as_of: datetime, settings: Settings, *, consistent: bool) -> tuple[Milestone, ...]:
    first = {name: account.first_seen[name] for name in settings.milestones if name in account.first_seen}
    if OTHERS in account.first_seen:
        for name, at in more_names.times_of(account.account_id, settings.milestones, consistent=consistent).items():
            first[name] = min(from_millis(at), first.get(name, from_millis(at)))
    reached = [Milestone(name, at) for name, at in first.items() if at <= as_of]
    return tuple(sorted(reached, key=lambda milestone: (milestone.at, milestone.name)))


def _crm(account: Account, as_of: datetime) -> CrmFacts | None:
    if account.crm is None or account.crm.received_at <= as_of:
        return account.crm
    return history.crm_as_of(account.account_id, as_of)


def _crm_synced_at(account: Account) -> datetime | None:
    """When the account's CRM was last read completely; None where its facts are not from a connected CRM."""
    if account.crm is None or account.crm.provider is None:
        return None
    connection = connections.connection(account.crm.provider)
    text = connection.status.get("last_success") if connection else None
    return parse_instant(text) if text else None
