"""HubSpot, by its dated API: companies with their tickets, deals, meetings and emails.

A full run lists the companies, a thousand a page, with one read of associations per kind of record. A run for changes
searches the records modified since the last run, walks the hits by id (a search ends after 10,000 hits and does not
order equal times reliably), and reads the companies that these records belong to. The search finds a change some time
after it was made, so each run looks back 5 minutes more, and once an hour a run looks back a whole hour more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.ids import normalised
from healthscore.core.time import format_instant, from_millis, millis, parse_instant
from healthscore.integrations.crm import hubspot_api
from healthscore.integrations.crm.facts import Deal, Records, Ticket, crm_facts, revenue
from healthscore.integrations.crm.options import Options
from healthscore.integrations.crm.protocol import AccessError, Capabilities, Change, Company, Page, Refreshed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from healthscore.integrations.crm.client import Clock
    from healthscore.integrations.crm.hubspot_api import Properties
    from healthscore.integrations.crm.protocol import CompanyScore, Cursor

NAME = "hubspot"
OVERLAP = timedelta(minutes=5)
"""How far a run for changes looks back before the start of the one before."""
LAGGED_EVERY = timedelta(hours=1)
"""How often a run looks back by this much more, for changes that the search finds late."""

_NEWEST = 100
"""How many meetings, and emails, of a company are read: those with the highest ids, which are the newest."""
_KINDS = ("companies", "tickets", "deals", "meetings", "emails")
_NOT_HELD = {"CANCELED", "CANCELLED", "NO_SHOW", "RESCHEDULED"}
_NOT_SENT = {"BOUNCED", "FAILED", "SCHEDULED", "SENDING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotOptions(Options):
    """A workspace's options for HubSpot; an empty name means that it has no such property."""

    high_priorities: tuple[str, ...] = ("HIGH", "URGENT")
    renewal_property: str = "renewal_date"
    """Of deals."""
    arr_property: str = ""
    churned_property: str = ""
    churned_values: tuple[str, ...] = ()
    calls_per_10_seconds: int = 90
    """HubSpot allows 100 to 250, by subscription, for all integrations of an account together."""


class HubSpot:
    """A HubSpot account."""

    capabilities = Capabilities(incremental=True, full_every=timedelta(days=1), repeat_header=None)

    def __init__(self, options: HubSpotOptions, token: str, url: str, clock: Clock | None) -> None:
        self._options = options
        self._api = hubspot_api.Api(token, url or hubspot_api.URL, options.calls_per_10_seconds, clock)
        self._stages: dict[str, dict[str, Mapping[str, Any]]] = {}

    def full(self, cursor: Cursor | None) -> Iterator[Page]:
        """Every company; see `Connector.full`."""
        at: Cursor = dict(cursor) if cursor else {"started": format_instant(self._now()), "after": None}
        while True:
            now = self._now()
            listed: list[Mapping[str, Any]] = []
            while len(listed) < hubspot_api.ASSOCIATED:
                page, at["after"] = self._api.companies(self._company_properties(), at["after"])
                listed += page
                if at["after"] is None:
                    yield Page(
                        self._companies(listed, now), {"since": at["started"], "lagged": at["started"]}, done=True
                    )
                    return
            yield Page(self._companies(listed, now), dict(at), done=False)

    def changes(self, cursor: Cursor) -> Iterator[Page]:
        """The companies that changed; see `Connector.changes`."""
        at = dict(cursor) if "started" in cursor else self._changes_from(cursor)
        seen: set[str] = set()
        while at["kind"] < len(_KINDS):
            kind = _KINDS[at["kind"]]
            ids = self._modified(kind, parse_instant(at["from"]), at["last"])
            if len(ids) < hubspot_api.SEARCHED:
                at |= {"kind": at["kind"] + 1, "last": "0"}
            else:
                at["last"] = ids[-1]
            companies, _ = self._companies_of([Change(kind, record_id) for record_id in ids])
            fresh = companies - seen
            seen |= fresh
            yield Page(self._read_companies(fresh)[0], dict(at), done=False)
        yield Page((), {"since": at["started"], "lagged": at["lagged"]}, done=True)

    def refresh(self, changes: Sequence[Change]) -> Refreshed:
        """The companies of named records; see `Connector.refresh`."""
        ids, without_company = self._companies_of(changes)
        companies, gone = self._read_companies(ids)
        return Refreshed(companies, gone, without_company)

    def write_back(self, scores: Sequence[CompanyScore]) -> set[str]:
        """Write scores; see `Connector.write_back`."""
        return self._api.write(scores)

    def create_properties(self) -> list[str]:
        """Create the properties that scores are written to; see `Connector.create_properties`."""
        return self._api.create_properties(self._options.account_property)

    def _now(self) -> datetime:
        return from_millis(millis(self._api.clock.now()))

    def _changes_from(self, cursor: Cursor) -> Cursor:
        now, lagged = self._now(), parse_instant(cursor["lagged"])
        is_lagged = now - lagged >= LAGGED_EVERY
        since = lagged - LAGGED_EVERY if is_lagged else parse_instant(cursor["since"])
        return {
            "started": format_instant(now),
            "lagged": format_instant(now if is_lagged else lagged),
            "from": format_instant(since - OVERLAP),
            "kind": 0,
            "last": "0",
        }

    def _modified(self, kind: str, since: datetime, above: str) -> list[str]:
        try:
            return self._api.modified(kind, since, above)
        except AccessError:
            if kind == "companies":
                raise
            return []

    def _companies_of(self, changes: Iterable[Change]) -> tuple[set[str], list[Change]]:
        """Ids of the companies that records are or belong to, and the records that belong to none."""
        companies, without_company = set[str](), list[Change]()
        by_kind: dict[str, set[str]] = {}
        for change in changes:
            by_kind.setdefault(change.kind, set()).add(change.record_id)
        for kind, ids in by_kind.items():
            if kind == "companies":
                companies |= ids
                continue
            associated = hubspot_api.readable(self._api.associated, kind, "companies", _by_id(ids))
            found: dict[str, list[str]] = associated[0] if associated else {}
            for record_id in _by_id(ids):
                companies.update(found.get(record_id, []))
                if record_id not in found:
                    without_company.append(Change(kind, record_id))
        return companies, without_company

    def _read_companies(self, ids: Iterable[str]) -> tuple[list[Company], list[str]]:
        now, wanted = self._now(), _by_id(ids)
        found = self._api.read("companies", wanted, self._company_properties())
        listed = [{"id": company_id, "properties": properties} for company_id, properties in found.items()]
        return self._companies(listed, now), [company_id for company_id in wanted if company_id not in found]

    def _company_properties(self) -> list[str]:
        names = ("name", "domain", "hs_additional_domains", "notes_last_contacted")
        chosen = (self._options.account_property, self._options.arr_property, self._options.churned_property)
        return [*names, *filter(None, chosen)]

    def _companies(self, listed: Sequence[Mapping[str, Any]], now: datetime) -> list[Company]:
        """Companies with their facts, from their records; `now` is the instant at which reading these began."""
        if not listed:
            return []
        ids = [record["id"] for record in listed]
        renewal = filter(None, [self._options.renewal_property])
        tickets = self._of_companies(ids, "tickets", ["hs_pipeline_stage", "hs_ticket_priority"])
        deals = self._of_companies(ids, "deals", ["dealstage", "hs_lastmodifieddate", *renewal])
        meetings = self._of_companies(ids, "meetings", ["hs_meeting_start_time", "hs_meeting_outcome"])
        emails = self._of_companies(ids, "emails", ["hs_timestamp", "hs_email_status"])

        def company(record: Mapping[str, Any]) -> Company:
            company_id, properties = record["id"], record["properties"]
            contacts = [_instant(properties.get("notes_last_contacted"))]
            records = Records(
                tickets=_each(tickets(company_id), self._ticket),
                deals=_each(deals(company_id), self._deal),
                meetings=_each(meetings(company_id), _meeting),
                emails=_each(emails(company_id), _email),
                contacts=[at for at in contacts if at],
                churned=self._churned(properties),
                arr=revenue(properties.get(self._options.arr_property)),
            )
            others = (properties.get("hs_additional_domains") or "").split(";")
            return Company(
                company_id=company_id,
                name=properties.get("name") or "",
                domains=tuple(filter(None, [properties.get("domain"), *others])),
                account_id=normalised(properties.get(self._options.account_property) or "") or None,
                facts=crm_facts(NAME, records, now),
            )

        return [company(record) for record in listed]

    def _of_companies(
        self, ids: Sequence[str], kind: str, properties: Sequence[str]
    ) -> Callable[[str], list[Properties] | None]:
        """A function from a company's id to the properties of its records of a kind; None means unknown."""
        associated = hubspot_api.readable(self._api.associated, "companies", kind, ids)
        if associated is None or not self._knows_stages(kind):
            return lambda _company_id: None
        by_company, failed = associated
        if kind in ("meetings", "emails"):
            by_company = {company_id: _by_id(found)[-_NEWEST:] for company_id, found in by_company.items()}
        wanted = _by_id(record_id for found in by_company.values() for record_id in found)
        records = hubspot_api.readable(self._api.read, kind, wanted, properties)

        def of(company_id: str) -> list[Properties] | None:
            if records is None or company_id in failed:
                return None
            return [records[record_id] for record_id in by_company.get(company_id, ()) if record_id in records]

        return of

    def _knows_stages(self, kind: str) -> bool:
        """Read what the stages of a kind mean, where it has stages; False where the token may not read them."""
        if kind in ("tickets", "deals") and kind not in self._stages:
            stages = hubspot_api.readable(self._api.stages, kind)
            if stages is None:
                return False
            self._stages[kind] = stages
        return True

    def _ticket(self, properties: Properties) -> Ticket:
        stage = self._stages["tickets"].get(properties.get("hs_pipeline_stage") or "", {})
        return Ticket(
            is_open=stage.get("ticketState") != "CLOSED",
            high_priority=(properties.get("hs_ticket_priority") or "") in self._options.high_priorities,
        )

    def _deal(self, properties: Properties) -> Deal:
        stage = self._stages["deals"].get(properties.get("dealstage") or "", {})
        closed = str(stage.get("isClosed", "")).lower() == "true"
        return Deal(
            is_open=not closed,
            won=closed and _number(stage.get("probability")) == 1,
            updated_at=_instant(properties.get("hs_lastmodifieddate")),
            renewal_date=_day(properties.get(self._options.renewal_property)),
        )

    def _churned(self, properties: Properties) -> bool | None:
        name = self._options.churned_property
        return (properties.get(name) or "") in self._options.churned_values if name else None


def _by_id(ids: Iterable[str]) -> list[str]:
    return sorted(set(ids), key=int)


def _each(records: list[Properties] | None, read: Callable[[Properties], Any]) -> list[Any] | None:
    return None if records is None else [value for value in map(read, records) if value is not None]


def _meeting(properties: Properties) -> datetime | None:
    held = (properties.get("hs_meeting_outcome") or "") not in _NOT_HELD
    return _instant(properties.get("hs_meeting_start_time")) if held else None


def _email(properties: Properties) -> datetime | None:
    sent = (properties.get("hs_email_status") or "") not in _NOT_SENT
    return _instant(properties.get("hs_timestamp")) if sent else None


def _instant(text: str | None) -> datetime | None:
    """A time as HubSpot has it: RFC 3339, or milliseconds."""
    if not text:
        return None
    return from_millis(int(text)) if text.isdigit() else parse_instant(text)


def _day(text: str | None) -> date | None:
    """A date property: a day, or the milliseconds of its midnight UTC."""
    if not text:
        return None
    return from_millis(int(text)).astimezone(UTC).date() if text.isdigit() else date.fromisoformat(text[:10])


def _number(text: object) -> float | None:
    try:
        return float(str(text)) if text not in (None, "") else None
    except ValueError:
        return None
