"""Writes the demo workspace through the product's own API and nightly run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from healthscore.api.answers import account_path
from healthscore.core.documents import crm_from_json
from healthscore.core.time import DAY, end_of_day, format_instant
from healthscore.services.nightly.plan import Run
from healthscore.services.nightly.process import process_scan_part
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, use
from tools.demo.early_warning import SETTINGS
from tools.demo.stories import STORIES
from tools.local.stack import CallError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from tools.demo.story import Story
    from tools.local.stack import LocalStack

NIGHTS = 14
"""The number of past nights that are scored: enough for trends and drivers, few enough for a quick start."""
JUDGED = 25, 1
"""The past nights, so many days ago, that decide about the accounts: more than a week apart, as for `_judge`."""
_BATCH = 2_500
_ADMIN = "local-admin"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account of the demo workspace, with its live score and its risk."""

    account_id: str
    path: str
    score: int
    band: str
    state: str
    """Of its risk; a dash where there is nothing to say yet."""
    plot: str


def seed(stack: LocalStack, now: datetime) -> None:
    """Write the demo workspace, unless it is there from an earlier start (in a DynamoDB that was kept).

    Tonight is not run, so that the user can run it and see its alerts.

    Args:
        stack: the local stack, empty or with the demo workspace in it.
        now: the instant at which the stories end, aware.

    Raises:
        CallError: the API refused a request.
    """
    try:
        stack.call("GET", account_path(STORIES[0].account_id), _ADMIN)
    except CallError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        _write(stack, now)


def _write(stack: LocalStack, now: datetime) -> None:
    chosen = stack.call("GET", "/v1/settings", _ADMIN)["settings"]
    stack.call("PUT", "/v1/settings", _ADMIN, {**chosen, **SETTINGS})
    for story in STORIES:  # before their events, so that profiles hold for all of their time
        stack.call("PUT", account_path(story.account_id), _ADMIN, story.profile(now))
    events = [event for story in STORIES for event in story.events(now)]
    for batch in _batches(events):
        stack.call("POST", "/v1/events", _ADMIN, {"events": batch})
    for story in STORIES:
        for report in story.crm[:-1]:
            # The API stores facts as received now; earlier facts have to be received on their own day.
            received = format_instant(now - report.days_ago * DAY)
            facts = crm_from_json({**story.crm_facts(report, now), "received_at": received})
            accounts.save_crm(story.account_id, facts)
        _note_tickets(story, now)
    today = now.astimezone(UTC).date()
    for days_ago in JUDGED:
        _judge(today - days_ago * DAY)
    for days_ago in range(NIGHTS, 0, -1):
        stack.call("POST", "/_local/nightly", body={"date": (today - days_ago * DAY).isoformat()})
    for story in STORIES:
        for report in story.crm[-1:]:
            stack.call("PUT", f"{account_path(story.account_id)}/crm", _ADMIN, story.crm_facts(report, now))


def _note_tickets(story: Story, now: datetime) -> None:
    """Note the open tickets of past weeks, as the night after each of them would have done."""
    if story.open_tickets:
        stored = use.read_items(story.account_id)
        noted = stored.use
        for week, tickets in sorted(story.tickets(now).items()):
            noted = noted.with_tickets(week, tickets)
        use.save(story.account_id, stored, stored.use, noted, now)


def _judge(day: date) -> None:
    """Judge every account as the night of a past day does, which keeps decisions, but send no mail of that night.

    A night that takes a past day again decides nothing. The first regular run of the workspace is tonight's, and a
    first run has no alert where no night of the week before has judged the account.
    """
    run = Run(day, end_of_day(day, UTC), workspace.settings().settings, first=True)
    process_scan_part(run, 0, 1, keep_going=lambda: True, logger=Logger(service="demo"))


def demo_accounts(stack: LocalStack) -> Iterator[DemoAccount]:
    """The accounts of the demo workspace with their live scores and their risk."""
    for story in STORIES:
        path = account_path(story.account_id)
        health = stack.call("GET", f"{path}/health", _ADMIN)
        state = (health["risk"] or {}).get("state") or "-"
        yield DemoAccount(story.account_id, path, health["score"], health["band"], state, story.plot)


def _batches(events: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(events), _BATCH):
        yield events[start : start + _BATCH]
