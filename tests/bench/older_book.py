"""Pages of the book of the version with five indexes: a process that runs that version's library and measures it.

It makes accounts, and then answers names of questions, one a line of its input, by a line of JSON each: CPU
milliseconds, calls and read units of a page.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from healthscore.book import read_page
from healthscore.core.book import Filters, Sort

from healthscore.core import book
from healthscore.core.model import Band
from healthscore.storage import cards, words
from healthscore.storage.client import dynamodb
from tests.bench.customers import PAGE, customer
from tests.bench.engine import metered
from tests.bench.measuring import cpu_ms

AT_ONCE = 25
QUESTIONS = {
    "lowest score first": (Filters(), Sort.SCORE),
    "critical ones, by name": (Filters(band=Band.CRITICAL), Sort.NAME),
    "of an owner, by ARR": (Filters(owner="Owner 5"), Sort.ARR),
    "a word of the name": (Filters(q="muller"), Sort.SCORE),
}


def fill(count: int) -> None:
    """Put accounts as that version stores them after a night, with the words that lead to them."""
    accounts, entries = [], []
    for number in range(count):
        of = customer(number)
        account_id, score = of["account_id"], of["score"]
        line = cards.described(account_id, {name: of[name] for name in ("name", "owner", "arr") if of[name]}, None)
        item: dict[str, Any] = {name: value for name, value in line.items() if value is not None}
        item |= {"account_id": {"S": account_id}, "state": {"S": f"{of['band']} steady"}}
        item |= {
            "by_score": {"S": book.score_key(account_id, score)},
            "by_seen": {"S": book.seen_key(account_id, None)},
        }
        accounts.append(item)
        entries += [put["Put"]["Item"] for put in words.puts(account_id, words.entries_of(item))]
    for table, items in ((os.environ["ACCOUNTS_TABLE"], accounts), (os.environ["ACTIVITY_TABLE"], entries)):
        for start in range(0, len(items), AT_ONCE):
            puts: list[Any] = [{"PutRequest": {"Item": item}} for item in items[start : start + AT_ONCE]]
            dynamodb().batch_write_item(RequestItems={table: puts})


def ask(question: str) -> int:
    """Read the first page; answers how many accounts it has."""
    filters, sort = QUESTIONS[question]
    return len(read_page(filters, sort, descending=False, limit=PAGE, after=None).cards)


def main(count: int) -> None:
    """Answer questions until there are no more."""
    fill(count)
    for line in sys.stdin:
        question = line.strip()
        assert ask(question) == PAGE, question
        with metered() as counted:
            ask(question)
        answer = {
            "cpu": cpu_ms(lambda question=question: ask(question)),
            "calls": counted.calls,
            "reads": counted.reads,
        }
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
