"""The book over HTTP, and the same list made in the plainest way."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.insights import handler as insights
from healthscore.api.book import account_line
from healthscore.core.dataset.columns import AccountNight, row
from healthscore.core.dataset.question import SHOWN
from healthscore.core.time import parse_instant
from healthscore.services.nightly.dataset import Invocation, publish_as_it_stands
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.erasure import accounts as erasing
from tests.support.gateway import gateway_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

READ_KEY = "local-read"


def ask(path: str = "/v1/accounts", headers: dict[str, str] | None = None, **query: Any) -> tuple[int, dict[str, Any]]:
    response = respond(path, headers, **query)
    return response["statusCode"], json.loads(response["body"])


def respond(path: str = "/v1/accounts", headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
    sent = {name: value if isinstance(value, list) else str(value) for name, value in query.items()}
    asked = gateway_event("GET", path, key=READ_KEY, query=sent, headers=headers, now=datetime.now(UTC))
    response: dict[str, Any] = insights.handler(asked, None)
    return response


def walk(**query: Any) -> Iterator[list[dict[str, Any]]]:
    """Page after page, to the end."""
    cursor: dict[str, Any] = {}
    while True:
        status, page = ask(**query, **cursor)
        assert status == 200, page
        assert len(page["accounts"]) <= int(query.get("limit", 50))
        yield page["accounts"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def listed(**query: Any) -> list[dict[str, Any]]:
    return [account for page in walk(**query) for account in page]


def ids(**query: Any) -> list[str]:
    return [account["account_id"] for account in listed(**query)]


def publish(name: str = "made") -> dict[str, Any]:
    """Make the dataset of today from the accounts as they stand."""
    now = datetime.now(UTC)
    return publish_as_it_stands(name, Invocation(now, now + timedelta(minutes=15), lambda: True))


def forget(account_id: str) -> None:
    """Erase an account from the tables; what files have of it is left to the function that erases from them."""
    assert erasing.mark(account_id, datetime.now(UTC))
    assert erasing.erase(account_id, datetime.now(UTC), lambda: True)[1]


def lines() -> list[dict[str, Any]]:
    """Every account as the book must show it, in no order."""
    now = datetime.now(UTC)
    found = [account for account in accounts.scan(0, 1) if not account.erasing and account.into is None]
    chosen = workspace.settings().settings.dataset.attributes
    rows = [row(AccountNight(account, now.date(), now, now, account.latest, chosen)) for account in found]
    return [account_line({name: _as_answered(name, one[name]) for name in SHOWN}) for one in rows]


def _as_answered(name: str, value: Any) -> Any:
    return json.loads(value) if name == "attributes" and value is not None else value


def fold(text: str) -> str:
    """Text without case and accents."""
    apart = unicodedata.normalize("NFD", text.lower())
    kept = "".join(character for character in apart if not unicodedata.category(character).startswith("M"))
    return unicodedata.normalize("NFC", kept).replace("ß", "ss").replace("ς", "\N{GREEK SMALL LETTER SIGMA}")


def found(line: dict[str, Any], q: str) -> bool:
    return fold(q) in fold(line["account_id"]) or fold(q) in fold(line["name"] or "")


def naive(
    book: Sequence[dict[str, Any]], fits: Callable[[dict[str, Any]], bool], orders: Sequence[str]
) -> list[dict[str, Any]]:
    """The whole list, as if all of it lay in memory."""
    kept = sorted(filter(fits, book), key=lambda line: line["account_id"])
    for order in reversed(orders):
        name = order.removeprefix("-")
        known = [line for line in kept if line[name] is not None]
        unknown = [line for line in kept if line[name] is None]
        known.sort(key=lambda line, name=name: _value(line, name), reverse=order.startswith("-"))
        kept = [*known, *unknown]
    return kept


def _value(line: dict[str, Any], name: str) -> Any:
    value = line[name]
    if SHOWN[name].type.name == "INSTANT":
        return parse_instant(value)
    if SHOWN[name].type.name == "DAY":
        return date.fromisoformat(value)
    return fold(value) if isinstance(value, str) and name != "account_id" else value
