"""Delivers histories to the function that takes events in, and reads what becomes of them.

Faults befall a delivery at the calls to DynamoDB that it makes, by botocore's own hooks. All of it happens in one
thread: a paused delivery waits inside its call while the next step runs. So a run is repeatable.
"""

from __future__ import annotations

import concurrent.futures
import json
import sys
from collections import Counter, deque
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from functions.ingest import handler as ingest_function
from healthscore.api import event_settings
from healthscore.core.model import DayRollup
from healthscore.core.time import DAY
from healthscore.http.api_keys import CachedKeys, Scope
from healthscore.services import merging
from healthscore.services.ingestion import pending_events
from healthscore.settings import Settings
from healthscore.storage import retries, workspace
from healthscore.storage.accounts import accounts, merges
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import rollups
from healthscore.storage.errors import StorageUnavailableError
from tests.integration.nightly.nights import Inline
from tests.support import identity_judge as judge
from tests.support.gateway import gateway_event
from tests.support.identity_histories import FIRST_DAY, Step, shown, stamped
from tools import keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pytest

    from tests.support.identity_histories import Fate, History
    from tests.support.identity_judge import Call

KEY = "local-write"
NOW = FIRST_DAY + timedelta(days=5)
TRIES = 10
"""Of a delivery that is answered 503."""
LOGGER = Logger(service="test", level="CRITICAL")


class Killed(BaseException):  # not an error: nothing may catch it
    """The process is gone."""


@dataclass
class _Work:
    """A process at work: how many calls it has made, and what befalls it."""

    fate: Fate | None
    calls: int = 0
    dead: bool = False


class Workspace:
    """A workspace on fresh tables, for many histories one after the other."""

    def __init__(self, zone: str, patch: pytest.MonkeyPatch) -> None:
        """Prepare it.

        Args:
            zone: its time zone.
            patch: undoes what is patched: nothing waits, and pools of threads do everything at once.
        """
        self.zone = ZoneInfo(zone)
        self._settings = Settings(timezone=zone)
        workspace.save_settings(self._settings, NOW)
        keys.add(KEY, Scope.SERVER, "test", NOW)
        patch.setattr(merges, "SECONDS", inf)
        patch.setattr(event_settings, "SETTINGS_SECONDS", inf)  # calls are numbered, so none may depend on the time
        patch.setattr(ingest_function, "find_key", CachedKeys(workspace.find_key, seconds=inf))
        patch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
        for module in [module for name, module in sys.modules.items() if name.startswith("healthscore.")]:
            if hasattr(module, "ThreadPoolExecutor"):
                patch.setattr(module, "ThreadPoolExecutor", Inline)
        patch.setattr(concurrent.futures, "ThreadPoolExecutor", Inline)
        self._at_work: list[_Work] = []
        self._steps: deque[tuple[Step, int]] = deque()
        self._merges: dict[str, str] = {}
        self._prefix = ""
        self.met: Counter[str] = Counter()
        """How often each fate was met."""
        events = dynamodb().meta.events
        events.register("before-call.dynamodb", self._before_call)
        events.register("after-call.dynamodb", self._after_call)

    def faults(self, history: History) -> list[str]:
        """Deliver a history under ids of its own; say in which figures the product and the judge differ."""
        self._prefix = f"{uuid4().hex[:10]}-"
        self._calls = stamped(history.calls, self._prefix)
        self._faults: list[str] = []
        self._merges = {}
        self._steps = deque((step, 0) for step in history.steps)
        for account_id in {account for step in history.steps for account in step.merge or ()}:
            accounts.save_profile(self._own(account_id), lambda profile: profile, NOW)
        while self._steps and not self._faults:
            self._take_step()
        if not self._faults:
            self._steps = deque([(Step(), 0)])
            self._take_step()
        if self._faults:
            return self._faults
        calls = stamped(history.delivered, self._prefix)
        named = _accounts_named(calls)
        named |= {*self._merges, *self._merges.values()}
        right, wrong = judge.figures(calls, zone=self.zone, merges=self._merges), self._figures(named)
        right_names, wrong_names = judge.first_seen(calls, merges=self._merges), self._first_seen(named)
        return [
            *_differences(right, wrong, self._prefix),
            *_differences(_by_name(right_names), _by_name(wrong_names), self._prefix),
        ]

    def _take_step(self) -> None:
        step, tries = self._steps.popleft()
        try:
            with self._working(step.fate):
                if step.calls:
                    done = self._deliver([self._calls[number] for number in step.calls])
                elif step.merge:
                    done = self._merge(*map(self._own, step.merge))
                else:
                    self._sweep()
                    done = True
        except Killed:
            done = not step.calls and not step.merge
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what is wrong with the history)
            what = "a delivery" if step.calls else "a merge" if step.merge else "the sweep"
            self._faults.append(f"{what} raises {error!r}")
            return
        if not done and tries < TRIES:
            later = step.fate.later if step.fate else 0
            self._steps.insert(min(later, len(self._steps)), (replace(step, fate=None), tries + 1))
        elif not done:
            self._faults.append(f"a delivery is answered 503 for ever: calls {step.calls}")

    @contextmanager
    def _working(self, fate: Fate | None) -> Iterator[None]:
        self._at_work.append(_Work(fate))
        try:
            yield
        finally:
            self._at_work.pop()

    def _deliver(self, calls: list[Call]) -> bool:
        """Send calls in one request; whether they are answered 200."""
        alone = len(calls) == 1
        path, body = (f"/v1/{calls[0]['type']}", calls[0]) if alone else ("/v1/batch", {"batch": calls})
        event = gateway_event("POST", path, key=KEY, body=body, now=NOW)
        response = ingest_function.handler(event, None)
        if response["statusCode"] == 503:
            return False
        answer = json.loads(response["body"])
        if response["statusCode"] != 200:
            self._faults.append(f"a delivery is answered {response['statusCode']}: {answer}")
            return True
        rejected = {one["index"] for one in answer["rejected"]}
        expected = {index for index, call in enumerate(calls) if judge.is_rejected(call)}
        if rejected != expected:
            at_fault = min(rejected ^ expected)
            call = shown(calls[at_fault]).replace(self._prefix, "")
            self._faults.append(f"is {'' if at_fault in rejected else 'not '}rejected: {call}")
        return True

    def _own(self, account_id: str) -> str:
        return account_id.replace("~", self._prefix)

    def _merge(self, old: str, new: str) -> bool:
        """Merge accounts; whether it is done. What this process knew of merges before, it goes on knowing."""
        self._merges[old] = new
        before = merges.known.at_hand()
        try:
            merging.merge(old, new, NOW, lambda: inf)
        except (StorageUnavailableError, merging.MergeUnfinishedError):
            return False
        finally:
            merges.known._merges = before
        return True

    def _sweep(self) -> None:
        with suppress(StorageUnavailableError):
            pending_events.sweep(self._settings, NOW, keep_going=lambda: True, logger=LOGGER)

    def _figures(self, account_ids: Collection[str]) -> judge.Figures:
        days = FIRST_DAY.date() - DAY, NOW.date() + DAY
        found = {account_id: rollups.rollups(account_id, *days, consistent=True) for account_id in account_ids}
        return {account_id: {one.day: one for one in of_days if one.events} for account_id, of_days in found.items()}

    def _first_seen(self, account_ids: Collection[str]) -> judge.FirstSeen:
        found = {account_id: accounts.get(account_id) for account_id in account_ids}
        return {
            account_id: account.first_seen
            for account_id, account in found.items()
            if account is not None and account.account_id == account_id and account.first_seen
        }

    def _before_call(self, **_: object) -> None:
        if not self._at_work:
            return
        work = self._at_work[-1]
        if work.dead:
            raise Killed
        work.calls += 1
        if self._meets(work, "killed before"):
            work.dead = True
            raise Killed
        if self._meets(work, "refused"):
            raise ConnectTimeoutError(endpoint_url="")
        if self._steps and self._meets(work, "paused"):
            self._take_step()

    def _after_call(self, **_: object) -> None:
        if not self._at_work:
            return
        work = self._at_work[-1]
        if self._meets(work, "killed after"):
            work.dead = True
            raise Killed
        if self._meets(work, "unanswered"):
            raise ReadTimeoutError(endpoint_url="")

    def _meets(self, work: _Work, kind: str) -> bool:
        meets = work.fate is not None and (work.fate.kind, work.fate.at) == (kind, work.calls)
        if meets:
            self.met[kind] += 1
        return meets


def _accounts_named(calls: list[Call]) -> set[str]:
    """Every text that calls name as an account, nobody's included: there must be nothing under it."""
    named = [
        *(call.get("groupId") for call in calls),
        *(call.get("context", {}).get("groupId") for call in calls),
        *(call.get("properties", {}).get("account_id") for call in calls),
    ]
    return {account_id.strip() for account_id in named if account_id is not None} - {""}


def _by_name(first_seen: judge.FirstSeen) -> dict[str, dict[str, Any]]:
    return {account: {f"first {name}": at for name, at in names.items()} for account, names in first_seen.items()}


def _differences(expected: dict[str, Any], found: dict[str, Any], prefix: str) -> list[str]:
    """What differs, a line for each account and day or name."""
    lines = []
    for account in sorted({*expected, *found}):
        right, wrong = expected.get(account, {}), found.get(account, {})
        for key in sorted({*right, *wrong}, key=str):
            lines += _difference(f"{account.removeprefix(prefix)} {key}", right.get(key), wrong.get(key))
    return lines


def _difference(where: str, expected: Any, found: Any) -> list[str]:
    if not (isinstance(expected, DayRollup) and isinstance(found, DayRollup)):
        return [] if expected == found else [f"{where}: is {_short(found)}, not {_short(expected)}"]
    right = asdict(expected)
    wrong = {name: value for name, value in asdict(found).items() if name in right}
    return [f"{where}: {name} is {wrong[name]}, not {right[name]}" for name in right if right[name] != wrong[name]]


def _short(figures: Any) -> str:
    return f"{figures.events} events" if isinstance(figures, DayRollup) else str(figures)
