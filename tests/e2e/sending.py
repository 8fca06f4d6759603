"""Sends raw events as real senders do: out of order, some of them twice, from several senders at once."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.e2e.client import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH = 100
SENDERS = 4
TWICE = 0.05
BROKEN_EVERY = 10
"""One in so many batches has an event that the API must reject without rejecting its neighbours."""
COMPRESSED_EVERY = 3


@dataclass
class Sent:
    """The events that were sent, and the counts in the answers."""

    batches: int = 0
    events: int = 0
    distinct: int = 0
    twice_in_a_batch: int = 0
    twice_in_two_batches: int = 0
    broken: int = 0
    compressed: int = 0
    requests: int = 0
    repeats: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    """Events by their answer: accepted, duplicate, or the code of the rejection."""

    def faults(self) -> list[str]:
        """The sums that are wrong."""
        answers = self.answers
        expected = {"invalid_timestamp": self.broken} if self.broken else {}
        rejected = {code: count for code, count in answers.items() if code not in ("accepted", "duplicates")}
        found = [] if rejected == expected else [f"rejected {rejected}, expected {expected}"]
        if answers.total() != self.events:
            found.append(f"{self.events} events were sent, but the answers speak of {answers.total()}")
        # A batch that was answered 503 may be stored in part: its repetition finds duplicates that no answer accepted.
        if answers["accepted"] > self.distinct or (not self.repeats and answers["accepted"] != self.distinct):
            found.append(f"{answers['accepted']} accepted of {self.distinct} distinct events")
        return found


def plan(rows: Sequence[dict[str, str]], chance: random.Random) -> tuple[list[list[dict[str, str]]], Sent]:
    """Batches that hold every event, shuffled, one in twenty twice, with some broken ones."""
    shuffled = chance.sample(rows, len(rows))
    batches = [shuffled[start : start + BATCH] for start in range(0, len(shuffled), BATCH)]
    sent = Sent(batches=len(batches), distinct=len(rows))
    for again in chance.sample(range(len(shuffled)), round(TWICE * len(shuffled))):
        home, other = again // BATCH, chance.randrange(len(batches))
        if chance.random() < 1 / 2:
            other = home
        batches[other].append(shuffled[again])
        sent.twice_in_a_batch += other == home
        sent.twice_in_two_batches += other != home
    for batch in batches[::BROKEN_EVERY]:
        # The broken event has the id of a good one, which must still be accepted.
        batch.append({**batch[0], "timestamp": batch[0]["timestamp"].removesuffix("Z")})
        sent.broken += 1
    for batch in batches:
        chance.shuffle(batch)
    sent.events = sum(map(len, batches))
    return batches, sent


def send(url: str, key: str, rows: Sequence[dict[str, str]], seed: int) -> Sent:
    """Send all the events to an empty workspace.

    Args:
        url: where the API answers.
        key: a key that may write.
        rows: raw events with distinct ids.
        seed: of the order, and of which events are sent twice.
    """
    batches, sent = plan(rows, random.Random(seed))

    def work(sender: int) -> tuple[Client, Counter[str], int]:
        answers: Counter[str] = Counter()
        compressed = 0
        with closing(Client(url, key)) as client:
            for number in range(sender, len(batches), SENDERS):
                squeeze = number % COMPRESSED_EVERY == 0
                answer = client.call("POST", "/v1/events", {"events": batches[number]}, compressed=squeeze)
                answers.update(accepted=answer["accepted"], duplicates=answer["duplicates"])
                answers.update(rejection["code"] for rejection in answer["rejected"])
                compressed += squeeze
        return client, answers, compressed

    started = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        for client, answers, compressed in pool.map(work, range(SENDERS)):
            sent.requests += client.requests
            sent.repeats += client.repeats
            sent.compressed += compressed
            sent.answers += answers
    sent.seconds = time.perf_counter() - started
    return sent
