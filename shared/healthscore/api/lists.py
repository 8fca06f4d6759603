"""What the API answers about many accounts at once: the book, the summary, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.api.alerts import MOST, OTHERWISE, alert_document
from healthscore.api.book import book_document, read_question
from healthscore.api.summary import summary_document
from healthscore.core.time import day_of
from healthscore.http import query
from healthscore.http.cursors import read_cursor, read_limit, write_cursor
from healthscore.http.errors import account_not_found
from healthscore.services.book import read_page
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import lists
from healthscore.storage.runs import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.http.request import Request
    from healthscore.storage.alerts.messages import Message


def get_book(request: Request) -> dict[str, Any]:
    """Answer `GET /v1/accounts`: a page of the accounts that fit the filters, in the order asked for.

    Raises:
        ApiError: 400 `invalid_request`.
    """
    asked = read_question(request)
    page = read_page(asked.filters, asked.sort, descending=asked.descending, limit=asked.limit, after=asked.after)
    return book_document(asked, page.rows, page.after)


def get_alerts(request: Request) -> dict[str, Any]:
    """Answer `GET /v1/alerts`: the alerts of all accounts of one night's day, by default today's.

    Raises:
        ApiError: 400 `invalid_request`.
    """
    query.only(request, "date", "limit", "cursor")
    day = query.day(request, "date") or day_of(request.received_at, workspace.settings().settings.zone)
    question = ["alerts", day.isoformat()]
    limit, after = read_limit(request, most=MOST, otherwise=OTHERWISE), read_cursor(request, question)
    found, place = lists.of_day(day, limit=limit, after=after)
    return {"date": day.isoformat(), **_alerts(found), "next_cursor": write_cursor(question, place)}


def get_account_alerts(request: Request) -> dict[str, Any]:
    """Answer `GET /v1/accounts/{account_id}/alerts`: an account's alerts, newest first.

    Raises:
        ApiError: 400 `invalid_request`, or 404 `account_not_found`.
    """
    query.only(request, "limit", "cursor")
    account_id = request.params["account_id"]
    question = ["alerts of", account_id]
    limit, after = read_limit(request, most=MOST, otherwise=OTHERWISE), read_cursor(request, question)
    if accounts.get(account_id) is None:
        raise account_not_found(account_id)
    found, place = lists.of_account(account_id, limit=limit, after=after)
    return {"account_id": account_id, **_alerts(found), "next_cursor": write_cursor(question, place)}


def _alerts(found: Sequence[Message]) -> dict[str, Any]:
    return {"alerts": [alert_document(message.body, message.status, message.acknowledgement) for message in found]}


def get_summary(request: Request) -> dict[str, Any]:
    """Answer `GET /v1/summary`: accounts and ARR by band and the largest moves, as the newest night left them."""
    query.only(request)
    return summary_document(summary.read())
