"""Attio, by its REST API v2: companies, deals and, where they are configured, tickets.

Attio has no time of change on a record, so every run reads everything, and the caller compares it with what it saved.
Every value is a list, empty where there is none. Deals have stages that users may rename, and no flag for closed: the
stages that mean won and lost are options. Not every plan has interactions: an empty interaction means unknown.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.ids import normalised
from healthscore.core.time import format_instant, from_millis, millis, parse_instant
from healthscore.integrations.crm.client import Client, Limit
from healthscore.integrations.crm.facts import Deal, Records, Ticket, crm_facts, revenue
from healthscore.integrations.crm.options import Options
from healthscore.integrations.crm.protocol import AccessError, Capabilities, Change, Company, Page, Refreshed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from healthscore.integrations.crm.client import Clock
    from healthscore.integrations.crm.protocol import CompanyScore, Cursor

NAME = "attio"
URL = "https://api.attio.com"
_PAGE = 500
_SCORE, _BAND, _REASON = "healthscore_score", "healthscore_band", "healthscore_reason"
_ATTRIBUTES = {_SCORE: ("Health score", "number"), _BAND: ("Health band", "text"), _REASON: ("Health reason", "text")}

Values = dict[str, list[dict[str, Any]]]
"""A record's values: always lists, by attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttioOptions(Options):
    """A workspace's options for Attio; an empty name means that it has no such attribute or object."""

    won_stages: tuple[str, ...] = ("Won 🎉", "Won")
    lost_stages: tuple[str, ...] = ("Lost",)
    renewal_attribute: str = "renewal_date"
    """Of deals."""
    arr_attribute: str = ""
    churned_attribute: str = ""
    churned_values: tuple[str, ...] = ()
    ticket_object: str = ""
    """The custom object that holds tickets; without one, tickets are unknown."""
    ticket_company_attribute: str = "company"
    ticket_status_attribute: str = "status"
    ticket_closed_values: tuple[str, ...] = ("Closed", "Resolved", "Done")
    ticket_priority_attribute: str = "priority"
    high_priorities: tuple[str, ...] = ("High", "Urgent")


class Attio:
    """An Attio workspace."""

    capabilities = Capabilities(incremental=False, full_every=timedelta(hours=3), repeat_header="idempotency-key")

    def __init__(self, options: AttioOptions, token: str, url: str, clock: Clock | None) -> None:
        self._options = options
        self._client = Client(url or URL, token, clock)
        self._reads, self._writes = Limit(90, 1.0), Limit(22, 1.0)
        self._slugs: dict[str, str] = {}
        self._own: set[str] | None = None

    def full(self, cursor: Cursor | None) -> Iterator[Page]:
        """Every company; see `Connector.full`. Each call reads all deals and tickets first."""
        now = self._now()
        at: Cursor = dict(cursor) if cursor else {"started": format_instant(now), "offset": 0}
        deals = self._by_company("deals", "associated_company", self._deal, None)
        tickets = self._tickets(None)
        while True:
            records = self._query("companies", offset=at["offset"])
            companies = [self._company(record, deals, tickets, now) for record in records]
            if len(records) < _PAGE:
                yield Page(companies, {"since": at["started"]}, done=True)
                return
            at["offset"] += _PAGE
            yield Page(companies, dict(at), done=False)

    def changes(self, cursor: Cursor) -> Iterator[Page]:
        """No companies: Attio cannot be asked what changed."""
        yield Page((), cursor, done=True)

    def refresh(self, changes: Sequence[Change]) -> Refreshed:
        """The companies of named records; see `Connector.refresh`."""
        ids, without_company = dict[str, None](), list[Change]()
        for change in changes:
            slug = self._slug(change.kind)
            if change.field and slug == "companies" and change.field in self._own_attributes():
                continue  # changed by `write_back`
            attribute = {
                "companies": None,
                "deals": "associated_company",
                self._options.ticket_object: self._options.ticket_company_attribute,
            }.get(slug, "")
            if attribute is None:
                ids[change.record_id] = None
            elif attribute:
                record = self._get(slug, change.record_id)
                owners = _references(record["values"].get(attribute, [])) if record else []
                ids.update(dict.fromkeys(owners))
                if record and not owners:
                    without_company.append(change)
        companies, gone = [], []
        for company_id in ids:
            now, record = self._now(), self._get("companies", company_id)
            if record is None:
                gone.append(company_id)
                continue
            deals = self._by_company("deals", "associated_company", self._deal, company_id)
            companies.append(self._company(record, deals, self._tickets(company_id), now))
        return Refreshed(companies, gone, without_company)

    def write_back(self, scores: Sequence[CompanyScore]) -> set[str]:
        """Write scores, one by one; see `Connector.write_back`."""
        written = set()
        for score in scores:
            values = {_SCORE: score.score, _BAND: score.band, _REASON: score.reason}
            path = f"/v2/objects/companies/records/{score.company_id}"
            refused = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
            body = {"data": {"values": values}}
            answer = self._client.call("PATCH", path, body, limits=[self._writes], accept=refused)
            if answer.status not in refused:
                written.add(score.company_id)
        return written

    def create_properties(self) -> list[str]:
        """Create the attributes that scores are written to; see `Connector.create_properties`."""
        path = "/v2/objects/companies/attributes"
        there = {attribute["api_slug"] for attribute in self._attributes()}
        wanted = {**_ATTRIBUTES, self._options.account_property: ("Healthscore account id", "text")}
        created = [slug for slug in wanted if slug not in there]
        for slug in created:
            title, kind = wanted[slug]
            data = {
                "title": title,
                "description": "Kept by Healthscore",
                "api_slug": slug,
                "type": kind,
                "is_required": False,
                "is_unique": False,
                "is_multiselect": False,
                "config": {},
            }
            self._client.call("POST", path, {"data": data}, limits=[self._writes])
        return created

    def _attributes(self) -> list[dict[str, Any]]:
        query = {"limit": str(_PAGE)}
        answer = self._client.call("GET", "/v2/objects/companies/attributes", limits=[self._reads], query=query)
        attributes: list[dict[str, Any]] = answer.body["data"]
        return attributes

    def _own_attributes(self) -> set[str]:
        """Ids of the attributes that scores are written to. Webhooks name an attribute by its id."""
        if self._own is None:
            attributes = self._attributes()
            self._own = {given["id"]["attribute_id"] for given in attributes if given["api_slug"] in _ATTRIBUTES}
        return self._own

    def _now(self) -> datetime:
        return from_millis(millis(self._client.clock.now()))

    def _slug(self, object_id: str) -> str:
        """The slug of an object, by its id: webhooks name an object by its id."""
        if not self._slugs:
            objects = self._client.call("GET", "/v2/objects", limits=[self._reads]).body["data"]
            self._slugs = {given["id"]["object_id"]: given["api_slug"] for given in objects}
        return self._slugs.get(object_id, object_id)

    def _get(self, slug: str, record_id: str) -> dict[str, Any] | None:
        path = f"/v2/objects/{slug}/records/{record_id}"
        answer = self._client.call("GET", path, limits=[self._reads], accept=[HTTPStatus.NOT_FOUND])
        return None if answer.status == HTTPStatus.NOT_FOUND else answer.body["data"]

    def _query(self, slug: str, *, offset: int, filters: object = None) -> list[dict[str, Any]]:
        body: dict[str, Any] = {
            "limit": _PAGE,
            "offset": offset,
            "sorts": [{"attribute": "created_at", "direction": "asc"}],
        }
        if filters is not None:
            body["filter"] = filters
        path = f"/v2/objects/{slug}/records/query"
        answer = self._client.call("POST", path, body, limits=[self._reads], accept=[HTTPStatus.NOT_FOUND])
        if answer.status == HTTPStatus.NOT_FOUND:
            raise AccessError(f"Attio has no object {slug}: switch it on, or correct its name in the options.")
        records: list[dict[str, Any]] = answer.body["data"]
        return records

    def _by_company(
        self, slug: str, attribute: str, read: Callable[[Values], Any], company_id: str | None
    ) -> Mapping[str, list[Any]] | None:
        """Records of an object by the id of their company; of one company, or of all.

        None where they are unknown: the object is switched off, or the token may not read it.
        """
        filters = None
        if company_id is not None:
            filters = {attribute: {"target_object": "companies", "target_record_id": company_id}}
        found = defaultdict(list)
        offset = 0
        while True:
            try:
                records = self._query(slug, offset=offset, filters=filters)
            except AccessError:
                return None
            for record in records:
                for owner in _references(record["values"].get(attribute, [])):
                    found[owner].append(read(record["values"]))
            if len(records) < _PAGE:
                return found
            offset += _PAGE

    def _tickets(self, company_id: str | None) -> Mapping[str, list[Ticket]] | None:
        options = self._options
        if not options.ticket_object:
            return None
        return self._by_company(options.ticket_object, options.ticket_company_attribute, self._ticket, company_id)

    def _ticket(self, values: Values) -> Ticket:
        options = self._options
        return Ticket(
            is_open=_text(values, options.ticket_status_attribute) not in options.ticket_closed_values,
            high_priority=_text(values, options.ticket_priority_attribute) in options.high_priorities,
        )

    def _deal(self, values: Values) -> Deal:
        stage = _text(values, "stage")
        won = stage in self._options.won_stages
        renewal = _text(values, self._options.renewal_attribute)
        # A deal has no time of change, but each of its values has the time since when it is valid.
        since = [value["active_from"] for found in values.values() for value in found if value.get("active_from")]
        return Deal(
            is_open=not won and stage not in self._options.lost_stages,
            won=won,
            updated_at=max(map(parse_instant, since), default=None),
            renewal_date=date.fromisoformat(renewal[:10]) if renewal else None,
        )

    def _company(
        self,
        record: Mapping[str, Any],
        deals: Mapping[str, list[Deal]] | None,
        tickets: Mapping[str, list[Ticket]] | None,
        now: datetime,
    ) -> Company:
        company_id, values, options = record["id"]["record_id"], record["values"], self._options
        arr, churned = _text(values, options.arr_attribute), _text(values, options.churned_attribute)
        records = Records(
            tickets=None if tickets is None else tickets.get(company_id, []),
            deals=None if deals is None else deals.get(company_id, []),
            meetings=_interactions(values, "last_calendar_interaction"),
            emails=_interactions(values, "last_email_interaction"),
            contacts=_interactions(values, "last_interaction"),
            churned=churned in options.churned_values if options.churned_attribute else None,
            arr=revenue(arr),
        )
        return Company(
            company_id=company_id,
            name=_text(values, "name"),
            domains=tuple(value["domain"] for value in values.get("domains", ())),
            account_id=normalised(_text(values, options.account_property)) or None,
            facts=crm_facts(NAME, records, now),
        )


def _references(values: Sequence[Mapping[str, Any]]) -> list[str]:
    return [value["target_record_id"] for value in values if value.get("target_object", "companies") == "companies"]


def _interactions(values: Values, attribute: str) -> list[datetime] | None:
    found = values.get(attribute) or []
    return [parse_instant(value["interacted_at"]) for value in found if value.get("interacted_at")] or None


def _text(values: Values, attribute: str) -> str:
    """The first value of an attribute as text, whatever its type: text, status, select, number, currency, date."""
    for value in values.get(attribute) or ():
        for key in ("value", "currency_value", "status", "option"):
            if value.get(key) is not None:
                inner = value[key]
                return str(inner.get("title", "")) if isinstance(inner, dict) else str(inner)
    return ""
