"""Who does what in a life: writers, erasers, nights and the outbox, each under faults and until it is done."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from functools import partial
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

from healthscore.services.erasure import ErasureUnfinishedError, erase_account, erase_user
from healthscore.services.ingestion import events as ingest
from healthscore.services.ingestion import pending_events
from healthscore.services.notifications.outbox import LEASE
from healthscore.storage.alerts import messages
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_shard
from healthscore.storage.day_logs.log_items import SealedCache
from healthscore.storage.erasure import pending_users
from healthscore.storage.errors import AccountErasedError, StorageUnavailableError
from tests.faults import people
from tests.faults.batches import (
    CONTESTED,
    ERASED_AT_NIGHT,
    FIRST_NIGHT,
    SECOND_NIGHT,
    SETTINGS,
    USERS_ERASED,
)
from tests.faults.checks import Findings, traces_of_account, traces_of_user
from tests.faults.injection import Faults, Killed
from tests.faults.ledger import Ledger
from tests.faults.topic import Topic
from tests.integration.nightly.nights import LOGGER, night, schedule, sweep
from tests.support import interleaving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from random import Random

    from healthscore.core.model import Event
    from tests.faults.batches import Phase, Phases
    from tests.faults.story import Figures

WRITERS = 4
TRIES = 400
ERASERS = 2
"""The account that is erased while its events come in is erased by so many at once: a client that had no answer in time
asks again."""
PEOPLES_CALLS = 4
"""A request about people makes so many times the calls of one with events; as much rarer are faults, for it to end."""
PAUSE_TURNS = 10
"""A client that has to ask again lets fewer turns pass than these: an erasure takes its time."""
NIGHT_TURNS = 150
"""About as many calls as a night makes: what comes at any time of it begins within so many turns."""


class Life:
    """Delivers, erases, runs nights, and sends, under faults."""

    def __init__(self, random: Random, figures: Figures, share: float) -> None:
        self.first_night_knew: list[Event] = []
        """The events that were there in the first night."""
        self._random = random
        self._figures = figures
        self._share = share
        self._faults = Faults(random, share)
        self._faults.attach(dynamodb(), "dynamodb")
        dynamodb().meta.events.register("before-call.dynamodb", self._count)
        self._faults.done = figures.faults
        self._ledger = Ledger()
        self.topic = Topic(random, share * 5, figures.faults)
        interleaving.watch(dynamodb())

    def _count(self, **_: object) -> None:
        self._figures.calls += 1

    def live(self, phases: Phases) -> None:
        """Live the whole life, and check after each part what must hold then."""
        self._until_first_night(phases)
        write = self._writer(phases.between, FIRST_NIGHT + timedelta(days=3))
        with self._ledger.erasing("/".join(USERS_ERASED[1])):
            self._night(FIRST_NIGHT, [write, self._leave_a_user_to_the_night])
        self._figures.wrong += traces_of_user(*USERS_ERASED[1])
        self._side_by_side(self._writers(phases.late, SECOND_NIGHT))
        self._night(SECOND_NIGHT, [self._erase_at_night])
        # A worker of that night may have crashed between two writes: the next erasure removes what is left.
        self._side_by_side([lambda: self._erase_account(ERASED_AT_NIGHT)])
        self._figures.wrong += traces_of_account(ERASED_AT_NIGHT)
        self._figures.wrong += Findings(phases, self._ledger).wrong + self._wrong_messages()
        self._live_with_people(people.batches_of(self._random, self._figures.deliveries // 2))

    def _live_with_people(self, batches: list[list[dict[str, Any]]]) -> None:
        """Deliver what people do, a quarter of it again, in any order, while nights settle what requests have left."""
        deliveries = batches + self._random.sample(batches, k=len(batches) // 4)
        self._random.shuffle(deliveries)

        def write(of_writer: list[list[dict[str, Any]]]) -> None:
            for batch in of_writer:
                self._until_done(partial(self._deliver_calls, batch))

        works = [partial(write, deliveries[number::WRITERS]) for number in range(WRITERS)]
        settle = partial(pending_events.sweep, SETTINGS, people.NOW, keep_going=lambda: True, logger=LOGGER)
        self._faults.share = self._share / PEOPLES_CALLS
        self._side_by_side([*works, partial(self._until_done, settle)])
        self._faults.share = self._share
        settle()
        self._figures.wrong += people.wrong_figures(batches)

    def _deliver_calls(self, batch: list[dict[str, Any]]) -> None:
        """Send a request; now and then there is not enough time for it."""
        enough = self._random.random() >= self._share
        asked = iter(range(self._random.randrange(6)))
        people.deliver(batch, lambda: inf if enough or next(asked, None) is not None else 0.0)

    def _until_first_night(self, phases: Phases) -> None:
        user, turns = USERS_ERASED[0], len(phases.early)
        writers = self._writers(phases.early, FIRST_NIGHT)
        self._side_by_side([*writers, lambda: self._erase_user(*user, within=turns)])
        for start in range(0, len(phases.contested), WRITERS):
            self._side_by_side(self._contestants(phases.contested[start : start + WRITERS]))
            self._figures.wrong += Findings([phases.contested], self._ledger).wrong
        # Whatever came of these: after an erasure that nothing runs beside, nothing is left.
        self._side_by_side([lambda: self._erase_account(CONTESTED), lambda: self._erase_user(*user)])
        found = Findings([phases.early, phases.contested], self._ledger)
        self.first_night_knew = found.there
        self._figures.wrong += [*found.wrong, *traces_of_account(CONTESTED), *traces_of_user(*user)]

    def live_calmly(self, phases: Sequence[Sequence[Event]]) -> None:
        """Live the same life without faults, each phase in a batch, and without what is erased."""
        for phase, at in zip(phases, (FIRST_NIGHT, SECOND_NIGHT), strict=True):
            ingest.ingest(phase, SETTINGS, at)
            self._night(at, [])

    def _side_by_side(self, works: Sequence[Callable[[], None]]) -> None:
        interleaving.run(works, choose=self._random.randrange, kill=lambda: None)

    def _writers(self, phase: Phase, now: datetime) -> list[Callable[[], None]]:
        """Writers of a phase, a quarter of which is delivered again, in any order: the client lost the answer."""
        batches = phase + self._random.sample(phase, k=len(phase) // 4)
        self._random.shuffle(batches)
        return [self._writer(batches[number::WRITERS], now) for number in range(WRITERS)]

    def _writer(self, batches: Phase, now: datetime) -> Callable[[], None]:
        def deliver(batch: list[Event]) -> None:
            with self._ledger.sending(batch):
                ingest.ingest(batch, SETTINGS, now)

        def write() -> None:
            for batch in batches:
                self._figures.deliveries += 1
                self._until_done(partial(deliver, batch))

        return write

    def _contestants(self, batches: Phase) -> list[Callable[[], None]]:
        """Writers of one batch each, beside as many who erase the account, or fewer."""
        erasers = self._random.randint(0, ERASERS)
        writers = [self._writer([batch], FIRST_NIGHT) for batch in batches]
        return [*writers, *[lambda: self._erase_account(CONTESTED, within=8)] * erasers]

    def _erase_at_night(self) -> None:
        self._erase_account(ERASED_AT_NIGHT, within=NIGHT_TURNS)

    def _erase_account(self, account_id: str, within: int = 1) -> None:
        self._idle(within)
        with self._ledger.erasing(account_id):
            self._until_done(lambda: self._ask(erase_account, account_id))
        self._figures.erasures += 1

    def _erase_user(self, account_id: str, user_id: str, within: int = 1) -> None:
        self._idle(within)
        with self._ledger.erasing(f"{account_id}/{user_id}"):
            self._until_done(lambda: self._ask(erase_user, account_id, user_id))
        self._figures.erasures += 1

    def _leave_a_user_to_the_night(self) -> None:
        """Begin to erase a user, and never come back to it."""
        self._until_done(lambda: pending_users.begin(*USERS_ERASED[1]))
        self._figures.erasures += 1

    def _ask(self, erase: Callable[..., object], *ids: str) -> None:
        """Ask for an erasure; now and then there is not enough time for it in one request."""
        enough = self._random.random() >= self._share
        try:
            erase(*ids, FIRST_NIGHT, lambda: enough)
        except ErasureUnfinishedError as unfinished:
            raise StorageUnavailableError from unfinished
        except AccountErasedError:
            pass

    def _idle(self, within: int) -> None:
        """Let the others go on for less than so many turns."""
        for _ in range(self._random.randrange(within)):
            interleaving.pass_turn()

    def _until_done(self, work: Callable[[], Any]) -> None:
        for _ in range(TRIES):
            try:
                with self._faults.at_work():
                    work()
            except StorageUnavailableError:
                pass
            except Killed:
                commit_shard.sealed_parts = SealedCache()  # the next process knows nothing
            else:
                return
            self._figures.repeated += 1
            self._idle(PAUSE_TURNS)
        raise AssertionError("it is never done")

    def _night(self, at: datetime, meanwhile: Sequence[Callable[[], None]]) -> None:
        """Two runs at once and what comes meanwhile, then one run more, and the scheduled task beside it.

        In half of the nights the topic is out of order during the first two: all is left to those who come then.
        """
        self.topic.now, self.topic.out_of_order = at, bool(meanwhile) and self._random.random() < 0.5
        self._side_by_side([*[lambda: self._once(night, schedule(at), now=at)] * 2, *meanwhile])
        self.topic.out_of_order = False
        self._side_by_side([lambda: self._once(night, schedule(at), now=at), *[lambda: self._once(sweep, at)] * 2])
        # What a lost answer or a dead process left claimed is sent when its lease is over.
        share, self._faults.share, self.topic.share = self._faults.share, 0.0, 0.0
        self.topic.now = at + LEASE + timedelta(minutes=1)
        night(self.topic, schedule(at), now=self.topic.now)
        self.topic.now += LEASE
        sweep(self.topic, self.topic.now)
        self._faults.share, self.topic.share = share, share * 5

    def _once(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        try:
            with self._faults.at_work():
                work(self.topic, *arguments, **named)
        except (StorageUnavailableError, Killed):
            return

    def _wrong_messages(self) -> list[str]:
        """What is wrong with what was sent: a message may only be repeated after its lease."""
        self._figures.published = len(self.topic.accepted)
        times = defaultdict(list)
        for message, at in self.topic.accepted:
            times[message].append(at)
        wrong = [
            f"message {message} was repeated within its lease"
            for message, sent in times.items()
            if any(later - earlier < LEASE for earlier, later in pairwise(sent))
        ]
        return wrong + [f"{left} is left to be sent" for left in messages.pending()]
