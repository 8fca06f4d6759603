"""Early warning: an account's signals and risk, what detectors found, what nights decided, and its people.

The routes import the rules when they are asked: they would lengthen the start of a function that mostly scores.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal, cast

from healthscore.api.answers import ACCOUNT_NOT_FOUND, account_not_found
from healthscore.api.as_of import AS_OF_IN_FUTURE, AS_OF_TOO_OLD, NIGHT, last_complete_day
from healthscore.http.api_keys import Scope
from healthscore.http.cursors import CURSOR, read_cursor, write_cursor
from healthscore.http.query import Limit, OneOf
from healthscore.http.route import route
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    from typing_extensions import TypedDict

    from healthscore.core.decisions.decision import DecisionJson, DecisionText, ReasonText
    from healthscore.core.decisions.finding_document import FindingJson, FindingText
    from healthscore.core.decisions.people import PersonName
    from healthscore.core.decisions.risk_document import RiskJson
    from healthscore.core.detectors.finding import EvidenceJson
    from healthscore.core.json_types import Count, Day
    from healthscore.core.signals.document import HabitsJson, SignalJson
    from healthscore.http.request import Request
    from healthscore.services.risk import Assessment

    T = TypeVar("T")

    class ChampionDocument(TypedDict):
        """The people who carry the product at the customer."""

        state: Literal["responsive", "silent", "unknown"]
        people: list[PersonName]
        inferred: bool
        """Whether the champion is nobody's whom the profile names, but the person with most active days."""
        silent_days: Count | None
        """Days since the last event of any of them; null where there is none."""

    class TicketsDocument(TypedDict):
        """The open tickets at the end of a week, as the CRM said."""

        week: Day
        """The week's Monday."""
        open: Count

    class Suggestion(TypedDict):
        """A field of the profile that a person should look at; it is never set by itself."""

        field: str
        value: str | None
        """What it may be; null where only a person knows."""
        question: str

    class NewsDocument(TypedDict):
        """Good news of an account: it grew, or took up a feature."""

        date: Day
        """The last complete day of the night that saw it first."""
        detector: Literal["growth", "adoption"]
        signal: str | None
        sentence: str
        evidence: list[EvidenceJson]

    class AccountSignals(TypedDict):
        """An account's signals, and its risk, as of a night."""

        account_id: str
        as_of: Day
        """The day of the night."""
        last_day: Day
        """The last complete day, which is the last that it looks at."""
        complete: bool
        """Whether all days up to the last one are taken in; where days wait for the night, figures and state are
        without them."""
        risk: RiskJson
        habits: HabitsJson | None
        """How regularly it was active up to its last event; null before the first one."""
        champion: ChampionDocument
        tickets: list[TicketsDocument]
        """The newest 26 weeks, as far as they are known, oldest first."""
        suggestions: list[Suggestion]
        news: list[NewsDocument]
        """What went well in the 91 days up to the last one, newest first."""
        signals: list[SignalJson]

    class FindingDocument(FindingText):
        """What a detector saw of an account."""

        people: list[PersonName]
        """Those whom the sentence names."""

    class ReasonDocument(ReasonText):
        """One reason of a decision."""

        people: list[PersonName]
        """Those whom the sentence names."""

    class DecisionDocument(DecisionText):
        """A change of an account's state, as a night decided it."""

        reasons: list[ReasonDocument]
        """The gravest first."""
        people: list[PersonName]
        """Those whom the action names."""

    class AccountFindings(TypedDict):
        """An account's findings as of a night: those that are not closed first, the newest first."""

        account_id: str
        as_of: Day
        findings: list[FindingDocument]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""

    class AccountDecisions(TypedDict):
        """What nights have decided about an account, newest first."""

        account_id: str
        decisions: list[DecisionDocument]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""

    class PersonDocument(PersonName):
        """Somebody who uses the product at an account."""

        first_active: Day | None
        """Null of a champion who was never seen."""
        last_active: Day | None
        active_days_28: Count
        active_days_91: Count
        champion: Literal["named", "inferred", "none"]

    class AccountPeople(TypedDict):
        """An account's people as of a night, those first who were there last."""

        account_id: str
        as_of: Day
        people: list[PersonDocument]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""


TAG = "Early warning"
TICKET_WEEKS = 26
_LIMIT = Limit(most=200, default=50)
_STATE = OneOf("state", "Only findings in this state.", ("open", "firing", "recovering", "closed"))
_OF_A_NIGHT = (ACCOUNT_NOT_FOUND, AS_OF_IN_FUTURE, AS_OF_TOO_OLD)


@route("GET /v1/accounts/{account_id}/signals", scope=Scope.READ, query=(NIGHT,), errors=_OF_A_NIGHT)
def get_signals(request: Request) -> AccountSignals:
    """The signals, and the risk.

    Each signal with its weeks, its level beside the usual one, and how it changes; whether the account's use weakens,
    since when, why, and what to do. Computed for tonight or any night within `retention_days`. Only complete days
    count, so it is the same at all times of a day.
    """
    from healthscore.core.decisions.people import people_in, person_names  # noqa: PLC0415  (see above)
    from healthscore.core.decisions.risk_document import risk_json  # noqa: PLC0415
    from healthscore.core.signals.document import habits_json  # noqa: PLC0415

    found = _assess(request)
    champion, signals = found.champion, found.signals()
    reasons = found.life.changes[-1].reasons if found.life.changes else ()
    names = found.names_of({*champion.people, *(one for reason in reasons for one in people_in(reason))})
    coverage = [one["key"] for one in signals if one["applicable"]]
    return {
        "account_id": found.account.account_id,
        "as_of": _day(found.day + 1),
        "last_day": _day(found.day),
        "complete": found.is_complete,
        "risk": risk_json(found.life, found.profile, coverage, found.band(), names),
        "habits": habits_json(found.inputs.history, found.profile, found.inputs.excused, found.day),
        "champion": {
            "state": champion.state.value,
            "people": person_names(champion.people, names),
            "inferred": champion.inferred,
            "silent_days": champion.silent_days if champion.people else None,
        },
        "tickets": _tickets(found),
        "suggestions": _suggestions(found),
        "news": _news(found),
        "signals": signals,
    }


@route(
    "GET /v1/accounts/{account_id}/findings",
    scope=Scope.READ,
    query=(NIGHT, _STATE, _LIMIT, CURSOR),
    errors=_OF_A_NIGHT,
)
def list_findings(request: Request) -> AccountFindings:
    """The findings.

    What detectors saw of the account up to a night, with sentence and evidence. Those that are not closed come first,
    then the newest.
    """
    state = _STATE.read(request)
    found = _assess(request)
    account_id = found.account.account_id

    def place(finding: FindingJson) -> str:
        last = 9_999_999 - date.fromisoformat(finding["opened"]).toordinal()  # so that the newest sorts first, as text
        return f"{int(finding['closed'] is not None)}#{last:07d}#{finding['finding_id']}"

    findings = [finding for finding in found.findings() if state in {None, finding["state"]}]
    page, cursor = _page(request, ["findings of", account_id, request.query.get("as_of"), state], findings, place)
    names = found.names_of({one for finding in page for one in finding["people"] if one is not None})
    return {
        "account_id": account_id,
        "as_of": _day(found.day + 1),
        "findings": [cast("FindingDocument", _named(one, names)) for one in page],
        "next_cursor": cursor,
    }


@route(
    "GET /v1/accounts/{account_id}/decisions",
    scope=Scope.READ,
    query=(_LIMIT, CURSOR),
    errors=(ACCOUNT_NOT_FOUND,),
)
def list_decisions(request: Request) -> AccountDecisions:
    """The decisions.

    Each change of the account's state as the night decided it, with its reasons, the action, its due date and its
    owner. They are kept as they were and never computed again. Newest first.
    """
    from healthscore.services import risk  # noqa: PLC0415  (see above)
    from healthscore.storage.accounts import risk_history  # noqa: PLC0415

    account_id = request.params["account_id"]
    question = ["decisions of", account_id]
    limit, after = _LIMIT.read(request), read_cursor(request, question)
    account = accounts.get(account_id)
    if account is None:
        raise account_not_found(account_id)
    found, place = risk_history.decisions(account.account_id, limit=limit, after=after)
    texts = [text for decision in found for text in (decision, *decision["reasons"])]
    names = risk.names_of(account, {one for text in texts for one in text["people"] if one is not None})
    return {
        "account_id": account.account_id,
        "decisions": [_named_decision(decision, names) for decision in found],
        "next_cursor": write_cursor(question, place),
    }


@route("GET /v1/accounts/{account_id}/people", scope=Scope.READ, query=(NIGHT, _LIMIT, CURSOR), errors=_OF_A_NIGHT)
def list_people(request: Request) -> AccountPeople:
    """The people.

    Who used the product up to a night: the 500 who were there last, and the champions. Those come first who were there
    last.
    """
    found = _assess(request)
    account_id, champion = found.account.account_id, found.champion
    kind = "inferred" if champion.inferred else "named"
    people = found.people()

    def place(person: str) -> str:
        days = people[person]
        return f"{9_999_999 - days[-1] if days else 9_999_999:07d}#{person}"

    page, cursor = _page(request, ["people of", account_id, request.query.get("as_of")], list(people), place)
    names = found.names_of(page)
    documents: list[PersonDocument] = []
    for person in page:
        days = people[person]
        documents.append(
            {
                "id": person,
                "name": names.get(person),
                "first_active": _day(days[0]) if days else None,
                "last_active": _day(days[-1]) if days else None,
                "active_days_28": sum(day > found.day - 28 for day in days),
                "active_days_91": sum(day > found.day - 91 for day in days),
                "champion": cast("Literal['named', 'inferred']", kind) if person in champion.people else "none",
            }
        )
    return {"account_id": account_id, "as_of": _day(found.day + 1), "people": documents, "next_cursor": cursor}


def _named(text: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A reason, a finding or a decision with people's names in the place of its marks."""
    from healthscore.core.decisions.people import named, person_names  # noqa: PLC0415  (see above)

    marked = {name: named(text[name], text["people"], names) for name in ("sentence", "action") if text.get(name)}
    return {**text, **marked, "people": person_names(text["people"], names)}


def _named_decision(decision: DecisionJson, names: Mapping[str, str]) -> DecisionDocument:
    reasons = [_named(reason, names) for reason in decision["reasons"]]
    return cast("DecisionDocument", {**_named(decision, names), "reasons": reasons})


def _assess(request: Request) -> Assessment:
    from healthscore.services import risk  # noqa: PLC0415  (see above)

    settings = workspace.settings().settings
    day = last_complete_day(request, settings)
    account = accounts.get(request.params["account_id"])
    if account is None:
        raise account_not_found(request.params["account_id"])
    return risk.assess(account, settings, day, request.received_at)


def _page(
    request: Request, question: Sequence[str | None], items: list[T], place: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """A page of items in the order of their places, and the cursor of the next one."""
    limit, after = _LIMIT.read(request), read_cursor(request, question)
    left = sorted((item for item in items if after is None or place(item) > after), key=place)
    more = len(left) > limit
    return left[:limit], write_cursor(question, place(left[limit - 1])) if more else None


def _tickets(found: Assessment) -> list[TicketsDocument]:
    from healthscore.core.signals.calendar import monday  # noqa: PLC0415  (see above)

    known = sorted(found.inputs.tickets.items())[-TICKET_WEEKS:]
    return [{"week": _day(monday(week)), "open": tickets} for week, tickets in known]


def _news(found: Assessment) -> list[NewsDocument]:
    from healthscore.core.decisions.decision import reason_json  # noqa: PLC0415  (see above)
    from healthscore.core.decisions.life import NEWS_DAYS  # noqa: PLC0415

    news = [(day, reason_json(sighting)) for day, sighting in found.life.news if day > found.day - NEWS_DAYS]
    return [
        {
            "date": _day(day),
            "detector": cast("Literal['growth', 'adoption']", one["detector"]),
            "signal": one["signal"],
            "sentence": one["sentence"],
            "evidence": one["evidence"],
        }
        for day, one in reversed(news)
    ]


def _suggestions(found: Assessment) -> list[Suggestion]:
    suggestions: list[Suggestion] = []
    if found.may_be_an_api():
        suggestions.append(
            {
                "field": "usage_channel",
                "value": "api",
                "question": "Nearly all events of the last 91 days are of nobody, or of integrations: does an API use "
                "the product?",
            }
        )
    if found.may_be_its_rhythm():
        suggestions.append(
            {
                "field": "expected_cadence_days",
                "value": None,
                "question": "It came back after three pauses of more than 45 days within 400 days: is this its rhythm?",
            }
        )
    return suggestions


def _day(number: int) -> Day:
    return date.fromordinal(number).isoformat()
