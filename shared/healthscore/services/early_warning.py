"""Early warning: what the rules read of an account and a workspace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.detectors.settings import DetectorSettings, Sensitivity
from healthscore.core.identity.people import ids_of
from healthscore.core.signals import earlier_profiles as earlier
from healthscore.core.signals.attendance import excused
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.model import Definitions, Profile, UsageChannel
from healthscore.core.time import day_of, from_millis, parse_instant
from healthscore.storage.accounts import earlier_profiles
from healthscore.storage.people import ids
from healthscore.storage.runs import attendance as decided_weeks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from healthscore.core.account import Account
    from healthscore.core.signals.earlier_profiles import Fields
    from healthscore.core.signals.excused import Excused
    from healthscore.core.signals.history import History
    from healthscore.core.signals.use import Use
    from healthscore.settings import Settings

USER, DEVICE = "u", "a"
"""What a person begins with as logs name it: a user's id, or an anonymous one."""
FURTHEST_CREATED_DAYS = 400
"""A customer since longer before the first event is no newcomer on any night that is looked at, and the nights before
need not be gone through one by one."""


def workspace_definitions(settings: Settings) -> Definitions:
    """Which event names make up the signals of the accounts that have no definitions of their own."""
    return _definitions({}, settings)


def definitions(account: Account, settings: Settings) -> Definitions:
    """Which event names make up the signals of an account: its own, where it has any, or the workspace's."""
    return _definitions(account.profile.get("signals", {}), settings)


def _definitions(own: Mapping[str, Any], settings: Settings) -> Definitions:
    chosen = settings.early_warning
    return Definitions(
        value_events=frozenset(own.get("value_events", chosen.value_events)),
        integrations=_groups(own.get("integrations", chosen.integrations)),
        features=_groups(own.get("features", chosen.features)),
    )


def detector_settings(settings: Settings) -> DetectorSettings:
    """Which detectors are on, and how sensitive they are."""
    chosen = settings.early_warning
    return DetectorSettings(
        sensitivity=Sensitivity(chosen.sensitivity),
        off=frozenset(name for name, enabled in chosen.signals.items() if not enabled),
        on=frozenset(name for name, enabled in chosen.signals.items() if enabled),
        overdue_irregular=chosen.overdue_irregular,
    )


def excused_weeks(settings: Settings) -> Excused:
    """The weeks that do not exist for any account: those that nights have found quiet, and those of quiet days.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return excused(decided_weeks.read(), quiet_days(settings))


def quiet_days(settings: Settings) -> list[int]:
    """The days that a workspace has named as quiet, by their numbers."""
    return [date.fromisoformat(text).toordinal() for text in settings.early_warning.quiet_days]


def inputs(account: Account, use: Use, settings: Settings, weeks: Excused, day: int) -> Inputs:
    """Everything that the risk of an account is computed from.

    It reads nothing further, unless a champion is named who is not known to have been there: that user may be known by
    another id.

    Args:
        account: the account as read.
        use: its use, as far as it is folded.
        settings: the workspace's settings.
        weeks: what `excused_weeks` gave.
        day: the last complete day of the night.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    history = _by_ids(use.history())
    return Inputs(
        history=history,
        profiles=_profiles(account, use, settings.zone, history.first, day),
        excused=weeks,
        contacts=use.contact_days,
        tickets=use.tickets_until(week_of(day + 1) - 1),
    )


def person_of(user: str, use: Use) -> str:
    """A person as logs name it, by the id by which rules name it: a user, unless only an anonymous one is known."""
    return DEVICE + user if USER + user not in use.people and DEVICE + user in use.people else USER + user


def _groups(groups: Mapping[str, list[str] | tuple[str, ...]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(events) for name, events in groups.items()}


def _by_ids(history: History) -> History:
    """A history whose people are named by their ids alone, as a profile names champions, and sentences should."""
    people: dict[str, Sequence[int]] = {}
    for person, days in history.people.items():
        other = people.get(person[1:])
        people[person[1:]] = days if other is None else tuple(sorted({*other, *days}))
    return replace(history, people=people)


def _profiles(
    account: Account, use: Use, zone: ZoneInfo, first: int | None, day: int
) -> tuple[tuple[int, Profile], ...]:
    """Each profile with the day from which on nights have known it, oldest first."""
    now = earlier.read_by_rules(account.profile, churned=account.crm.churned if account.crm else None)
    states = earlier.timeline(now, earlier_profiles.read_text(account.earlier_profiles))
    named = {user for _, fields in states for user in fields.get(earlier.CHAMPIONS, ())}
    known_as = _known_as(named, use)
    oldest = (day if first is None else first) - FURTHEST_CREATED_DAYS
    return tuple(
        (
            day_of(from_millis(since), zone).toordinal() if since else 0,
            Profile(
                usage_channel=UsageChannel(fields.get(earlier.CHANNEL, UsageChannel.PEOPLE)),
                expected_cadence_days=fields.get(earlier.CADENCE),
                periodic=fields.get(earlier.MODE) == "periodic",
                champions=tuple(
                    dict.fromkeys(
                        one for user in fields.get(earlier.CHAMPIONS, ()) for one in known_as.get(user, (user,))
                    )
                ),
                created=_created(fields, zone, oldest, unused=first is None),
                churned=bool(fields.get(earlier.CHURNED)),
                owner=account.profile.get("owner"),
            ),
        )
        for since, fields in states
    )


def _created(fields: Fields, zone: ZoneInfo, oldest: int, *, unused: bool) -> int | None:
    """The day on which an account became a customer; of an unused one that it has been for long, None."""
    text = fields.get(earlier.CREATED)
    if text is None:
        return None
    day: date | datetime = day_of(parse_instant(text), zone) if ":" in text else date.fromisoformat(text)
    created = day.toordinal()
    if created >= oldest:
        return created
    return None if unused else oldest


def _known_as(users: set[str], use: Use) -> dict[str, tuple[str, ...]]:
    """The users of whom nothing is known by that id, by those ids of the same people by which something is."""
    unseen = sorted(user for user in users if USER + user not in use.people)
    if not unseen or not use.people:
        return {}
    people = ids.read(USER + user for user in unseen)
    others = {user: [one for one in ids_of(people.person_of(USER + user)) if one in use.people] for user in unseen}
    return {user: tuple(one[1:] for one in its) for user, its in others.items() if its}
