"""The use that nights store is what the logs add up to, bit for bit, whatever came late and in whichever order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.day_log.codec import entry
from healthscore.core.identity.calls import Alias, GroupCall, Identification, TrackedEvent
from healthscore.core.identity.counting import NotCounted
from healthscore.core.identity.settings import IdentitySettings
from healthscore.core.model import MICROS, Event
from healthscore.core.time import DAY, millis
from healthscore.services import erasure, merging
from healthscore.services.ingestion.identity import Tracker
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.errors import AccountErasedError
from tests.integration.identity.calls import calls_of
from tests.support.uses import assert_exact

LOGGER = Logger(service="test", level="CRITICAL")
START = datetime(2026, 9, 1, tzinfo=UTC)
USERS, DEVICES, NAMES = ("uann", "ubob", "ukim"), ("aphone", "atablet"), ("exported", "searched", "issue", "viewed")


def forever():
    return float("inf")


def night(at, *, keep_going=lambda: True):
    run = plan_run({"time": at.isoformat()}, at)
    return process_scan_part(run, 0, 1, keep_going=keep_going, logger=LOGGER).totals


class Lived:
    """A random history of a few accounts and people, with nights in between."""

    def __init__(self, seed):
        self.random, self.now, self.number = Random(seed), START, 0
        self.accounts = ["acme", "bolt"]

    def step(self):
        weights = {
            self.events: 10,
            self.relation: 4,
            self.night: 8,
            self.erase_user: 1,
            self.staff: 0.5,
            self.merge: 0.3,
            self.erase_account: 0.2,
        }
        (action,) = self.random.choices([*weights], [*weights.values()])
        action()

    def record(self, *calls):
        Tracker(workspace.settings().settings, self.now, forever).record(calls_of(calls))

    def past(self):
        """An instant before now: mostly of the last days, sometimes long ago."""
        days = self.random.choice([0, 0, 1, 1, 2, 5, 8, 12, 29, 33, 50])
        return max(START - 40 * DAY, self.now - days * DAY - timedelta(minutes=self.random.randrange(1, 2000)))

    def events(self):
        calls = []
        for _ in range(self.random.choice([1, 2, 5, 30])):
            self.number += 1
            person, account = self.random.choice(USERS + DEVICES), self.random.choice([*self.accounts, None])
            who = {"user_id" if person[0] == "u" else "anonymous_id": person[1:]}
            name, value = self.random.choice(NAMES), self.random.choice([MICROS, MICROS, 3 * MICROS, 1])
            event = Event(f"e{self.number}", account or "", name, self.past(), value=value, **who)
            calls.append(TrackedEvent(account, entry(event)))
        self.record(*calls)

    def relation(self):
        at, user = millis(self.past()), self.random.choice(USERS)
        account = self.random.choice(self.accounts)
        self.record(
            self.random.choice(
                [
                    GroupCall(user, at, account),
                    Identification(self.random.choice(DEVICES), at, user),
                    Alias("uann.old", at, "uann"),
                    GroupCall(self.random.choice(DEVICES), at, account),
                ]
            )
        )

    def erase_user(self):
        with suppress(AccountErasedError):
            erasure.erase_user(self.random.choice(self.accounts), self.random.choice(USERS)[1:], self.now, lambda: True)

    def erase_account(self):
        erasure.erase_account(self.random.choice(self.accounts), self.now, lambda: True)

    def merge(self):
        if len(self.accounts) > 1 and all(accounts.get(one) for one in self.accounts):
            merging.merge(self.accounts.pop(), self.accounts[0], self.now, forever)

    def staff(self):
        setting = self.random.choice([NotCounted(), NotCounted(ids=("kim",))])
        workspace.save_settings(replace(Settings(), identity=IdentitySettings(not_counted=setting)), self.now)

    def night(self):
        self.now += self.random.choice([DAY, DAY, DAY, DAY, 3 * DAY, 25 * DAY])
        self.now = self.now.replace(hour=2, minute=0)
        totals = night(self.now)
        assert totals.failed == 0
        self.check()
        self.now += timedelta(minutes=self.random.randrange(1, 1300))

    def check(self):
        for account_id in self.accounts:
            if accounts.get(account_id) is not None:
                assert_exact(account_id, self.now.date() - DAY)


@pytest.mark.parametrize("seed", range(12))
def test_night__any_history__stores_what_the_logs_add_up_to(moto, seed):
    workspace.fix_timezone()
    lived = Lived(seed)
    for _ in range(40):
        lived.step()
    lived.night()
