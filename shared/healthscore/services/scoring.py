"""Scores on demand: reads the facts of an account as of an instant, for the pure core to score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from healthscore.core.account import RECENT_NIGHTS
from healthscore.core.day_log.first_seen import OTHERS
from healthscore.core.health import assess, snapshot_of
from healthscore.core.model import Component, Facts, Milestone
from healthscore.core.scoring.standard import WINDOW_DAYS
from healthscore.core.time import day_of, end_of_day, from_millis, parse_instant
from healthscore.storage.accounts import history, more_names
from healthscore.storage.crm import connections
from healthscore.storage.day_logs import rollups

if TYPE_CHECKING:
    from datetime import date

    from healthscore.core.account import Account
    from healthscore.core.health import Health
    from healthscore.core.model import CrmFacts, DailyScore, DayRollup, Snapshot
    from healthscore.settings import Settings


@dataclass(frozen=True, slots=True)
class Nights:
    """The scores of the nights before an instant."""

    recent: tuple[DailyScore, ...]
    """Scores of nights before the instant's day, oldest first; at least those of the last `RECENT_NIGHTS` days."""
    before_newest: Snapshot | None
    """The snapshot of the night before the newest one; where there is but one night, that one."""


def assess_account(
    account: Account, as_of: datetime, settings: Settings, compare_with: Snapshot | None = None
) -> Health:
    """The score of an account as of now or any past instant within retention, with everything that explains it.

    It reads consistently: an event that was answered 200 before this call counts.

    Args:
        account: the account as read.
        as_of: aware.
        settings: the workspace's settings.
        compare_with: what the score is explained against, as of `snapshot_at`. By default it is the night before the
            newest one: on the morning after a night, that shows what the night has brought. Where nothing has moved
            since, it is the newest earlier night from which something has.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    facts = replace(gather_facts(account, as_of, settings, consistent=True), crm_synced_at=_crm_synced_at(account))
    nights = gather_nights(account, as_of, facts.as_of_day)
    then = compare_with or nights.before_newest
    health = assess(
        account.account_id, facts, nights.recent, then, known_now(account, then, settings) if then else None
    )
    moved_since = None if compare_with or health.drivers else _last_different(account, nights, health)
    if moved_since is None:
        return health
    known = known_now(account, moved_since, settings)
    return assess(account.account_id, facts, nights.recent, moved_since, known)


def _last_different(account: Account, nights: Nights, health: Health) -> Snapshot | None:
    """The newest night before `before_newest` from which a component has moved; None where there is none."""
    now, then = health.score.components, nights.before_newest
    different = [night.day for night in nights.recent if then and night.day < then.day and night.components != now]
    found = history.snapshots(account, different[-1], different[-1]) if different else []
    return found[0] if found else None


def snapshot_at(account: Account, at: datetime | date, as_of: datetime, settings: Settings) -> Snapshot | None:
    """What a later score can be explained against: a night, or the account's score as of any instant.

    Args:
        account: the account as read.
        at: an aware instant within retention; or a day: its night, or the end of the day where no night was kept.
        as_of: the instant of the later score.
        settings: the workspace's settings.

    Returns:
        The snapshot; None where it would not lie before `as_of`.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    if not isinstance(at, datetime):
        kept = history.snapshots(account, at, at)
        if kept and kept[0].as_of < as_of:
            return kept[0]
        at = end_of_day(at, settings.zone)
    return _snapshot_as_of(account, at, settings) if at < as_of else None


def known_now(account: Account, then: Snapshot, settings: Settings) -> Snapshot:
    """A snapshot of the same instant, of what is known now: with events that came in late, and without erased ones.

    Which milestones count stays as it was: their setting is no event.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    configured = tuple(then.facts[Component.MILESTONES]["configured"])
    return _snapshot_as_of(account, then.as_of, replace(settings, milestones=configured))


def _snapshot_as_of(account: Account, at: datetime, settings: Settings) -> Snapshot:
    return snapshot_of(gather_facts(account, at, settings, consistent=False))


def read_month(account: Account, as_of: datetime, settings: Settings, *, consistent: bool) -> rollups.Month:
    """What `gather_facts` reads of an account's days, and its use along with it. Raises as that does."""
    today = day_of(as_of, settings.zone)
    return rollups.month(account.account_id, _oldest(today), today, consistent=consistent)


def gather_facts(
    account: Account,
    as_of: datetime,
    settings: Settings,
    *,
    consistent: bool,
    found: list[DayRollup] | None = None,
) -> Facts:
    """The facts of an account as of an instant (scoring rules 4, 7, 8, 9 and 10).

    One query reads the days of the window and the day before it, whose events may still lie within 30 times 24 hours.
    Two cases cost one more: none of these days has an event, so the last active day before them is read; or the as-of
    day has events after the instant, so that day's log is read.

    Args:
        account: the account as read.
        as_of: aware.
        settings: the workspace's settings.
        consistent: whether the activity must include what was committed a moment ago.
        found: the days of `read_month`, where that was called.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    today = day_of(as_of, settings.zone)
    oldest = _oldest(today)
    if found is None:
        found = rollups.rollups(account.account_id, oldest, today, consistent=consistent, names=False, not_counted=True)
    days = [day for day in found if day.events]
    if days and days[-1].day == today and days[-1].last_at > as_of:
        until = None
        if days[-1].first_at <= as_of:
            until = rollups.rollup_until(account.account_id, today, as_of)
        days[-1:] = [] if until is None else [until]
        found = [*found[:-1], *days[len(days) - (until is not None) :]]
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


def _oldest(today: date) -> date:
    return today - timedelta(days=WINDOW_DAYS)


def gather_nights(account: Account, as_of: datetime, today: date) -> Nights:
    """The scores of the nights before an instant: from the account itself for now, from its history for the past.

    Args:
        account: the account as read.
        as_of: the instant.
        today: the instant's day in the workspace's time zone; `recent` has scores of days before it.

    Raises:
        StorageUnavailableError: the history cannot be read now.
    """
    oldest = today - timedelta(days=RECENT_NIGHTS)
    latest, recent = account.latest, account.recent
    whole = len(recent) < RECENT_NIGHTS or recent[0].day <= oldest
    if whole and (latest is None or latest.as_of < as_of):
        newest, before = latest, None
        nights = tuple(daily for daily in recent if daily.day < today)
    else:
        kept = history.snapshots(account, oldest, today)
        earlier = [night for night in kept if night.as_of < as_of]
        newest = earlier[-1] if earlier else history.snapshot_before(account, oldest)
        before = earlier[-2] if len(earlier) > 1 else None
        nights = tuple(night.daily for night in kept if night.day < today)
    if newest is not None and before is None:
        before = history.snapshot_before(account, newest.day)
    return Nights(nights, before or newest)


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
