"""A process that works until it is killed: says each call before it makes it, and each piece of work once it is done.

`python -m tests.faults.worker 7 60 0 1 2 night outbox erase=account-3` delivers batches 0, 1 and 2 of seed 7, then runs
a night, sends what is pending, and erases an account.
"""

from __future__ import annotations

import sys

from healthscore.services.ingestion.events import ingest
from healthscore.services.notifications.outbox import LEASE
from healthscore.storage.client import dynamodb
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import StorageUnavailableError
from tests.faults.batches import FIRST_NIGHT, SETTINGS, phases_of


class SpokenTopic:
    """Says what is published."""

    def publish_batch(self, PublishBatchRequestEntries, **_: object) -> dict[str, list[dict[str, str]]]:  # noqa: N803
        for entry in PublishBatchRequestEntries:
            say(f"published {entry['Subject']}")
        return {"Successful": [{"Id": entry["Id"], "MessageId": "1"} for entry in PublishBatchRequestEntries]}


def say(line: str) -> None:
    """Report to the process that started this one."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def work(batches, piece: str) -> None:
    """Deliver a batch, again and again until it is acknowledged; or run the night, or send, or erase an account."""
    if piece in ("night", "outbox"):
        from tests.integration.nightly.nights import night, schedule, sweep  # noqa: PLC0415  (slow to load)

        if piece == "night":
            night(SpokenTopic(), schedule(FIRST_NIGHT), now=FIRST_NIGHT)
        else:
            sweep(SpokenTopic(), FIRST_NIGHT + LEASE)
        return
    if piece.startswith("erase="):
        account_id = piece.removeprefix("erase=")
        erasing.mark(account_id, FIRST_NIGHT)
        while not erasing.erase(account_id, FIRST_NIGHT, lambda: True)[1]:
            continue
        return
    while True:
        try:
            ingest(batches[int(piece)], SETTINGS, FIRST_NIGHT)
        except StorageUnavailableError:
            continue
        return


def main() -> None:
    """Do the pieces of work named on the command line."""
    seed, deliveries, *pieces = sys.argv[1:]
    batches = phases_of(int(seed), int(deliveries))[0]
    dynamodb().meta.events.register("before-call.dynamodb", lambda **_: say("call"))
    for piece in pieces:
        work(batches, piece)
        say(f"done {piece}")


if __name__ == "__main__":
    main()
