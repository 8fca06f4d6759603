"""What people do in a life under faults: calls that say who is who and who belongs where, and events.

The figures must be those of the calls alone, as `tests.support.identity_judge` works them out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from healthscore.api.segment_com_calls import parse_calls
from healthscore.core.time import DAY, format_instant
from healthscore.services.ingestion.identity import Tracker
from healthscore.storage.accounts import accounts
from healthscore.storage.day_logs import rollups
from healthscore.storage.people import unsettled
from tests.faults.batches import SECOND_NIGHT, SETTINGS
from tests.support import identity_judge as judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    Call = dict[str, Any]

ACCOUNTS = ("people-acme", "people-bolt")
USERS = [f"user-{number}" for number in range(4)]
DEVICES = [f"device-{number}" for number in range(3)]
NOW = SECOND_NIGHT + timedelta(days=1)
KINDS = ("track", "track", "track", "named", "identify", "group", "alias")


def batches_of(random: Random, deliveries: int) -> list[list[Call]]:
    """Requests of a few calls each."""
    calls = [_call(random, number) for number in range(2 * deliveries)]
    size = random.choice([1, 2, 4])
    return [calls[start : start + size] for start in range(0, len(calls), size)]


def _call(random: Random, number: int) -> Call:
    at = SECOND_NIGHT - timedelta(minutes=random.randrange(3 * 24 * 60))
    call: Call = {"messageId": f"people-{number}", "timestamp": format_instant(at)}
    user, device, account_id = random.choice(USERS), random.choice(DEVICES), random.choice(ACCOUNTS)
    match random.choice(KINDS):
        case "alias":
            return call | {"type": "alias", "previousId": user, "userId": random.choice(USERS)}
        case "identify":
            return call | {"type": "identify", "userId": user, "anonymousId": device}
        case "group":
            return (
                call
                | {"type": "group", "groupId": account_id}
                | random.choice([{"userId": user}, {"anonymousId": device}])
            )
        case kind:
            who = random.choice([{"userId": user}, {"anonymousId": device}])
            named = {"context": {"groupId": account_id}} if kind == "named" else {}
            return call | {"type": "track", "event": random.choice(["login", "exported"])} | who | named


def deliver(batch: Sequence[Call], time_left: Callable[[], float]) -> None:
    """Send a request, as the endpoint takes it."""
    Tracker(SETTINGS, NOW, time_left).record(parse_calls({"batch": list(batch)}, None, NOW, SETTINGS).calls)


def wrong_figures(batches: Sequence[Sequence[Call]]) -> list[str]:
    """What is wrong once all requests are answered."""
    calls = [call for batch in batches for call in batch]
    figures, first_seen, wrong = judge.figures(calls), judge.first_seen(calls), []
    for account_id in ACCOUNTS:
        days = rollups.rollups(account_id, NOW.date() - 9 * DAY, NOW.date(), consistent=True)
        if {one.day: one for one in days} != figures.get(account_id, {}):
            wrong.append(f"{account_id}: the figures")
        account = accounts.get(account_id)
        if (account.first_seen if account else {}) != first_seen.get(account_id, {}):
            wrong.append(f"{account_id}: first-seen times")
    return wrong + [f"{id_} is not settled" for id_ in unsettled.all_ids()]
