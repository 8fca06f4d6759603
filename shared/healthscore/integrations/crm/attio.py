"""Attio, by its REST API v2: companies, deals and, where they are configured, tickets.

Attio has no time of change on a record, so every run reads everything, and the caller compares it with what it saved.
Every value is a list, empty where there is none. Deals have stages that users may rename, and no flag for closed: the
stages that mean won and lost are options. Not every plan has interactions: an empty interaction means unknown.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from healthscore.core.time import format_instant, from_millis, millis
from healthscore.integrations.crm.attio_records import (
    DEAL_COMPANY,
    DEAL_STAGE,
    AttioOptions,
    CompanyReader,
    Source,
    first,
    references,
)
from healthscore.integrations.crm.client import BROKEN, REFUSED, Answer, Client, Limit
from healthscore.integrations.crm.halving import in_halves
from healthscore.integrations.crm.protocol import (
    AccessError,
    Capabilities,
    Change,
    Company,
    CrmError,
    Page,
    QuotaError,
    Refreshed,
    Unreadable,
)
from healthscore.integrations.crm.reading import Notes, Record, at, record_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthscore.integrations.crm.client import Clock
    from healthscore.integrations.crm.protocol import CompanyScore, Cursor

URL = "https://api.attio.com"
_PAGE = 500
_SCORE, _BAND, _REASON = "healthscore_score", "healthscore_band", "healthscore_reason"
_ATTRIBUTES = {_SCORE: ("Health score", "number"), _BAND: ("Health band", "text"), _REASON: ("Health reason", "text")}
_MERGING = "merge_in_progress"
"""Attio's code for a record that is still being put together from two."""


class Attio:
    """An Attio workspace."""

    capabilities = Capabilities(incremental=False, full_every=timedelta(hours=3), repeat_header="idempotency-key")

    def __init__(self, options: AttioOptions, token: str, url: str, clock: Clock | None) -> None:
        self._options = options
        self._client = Client(url or URL, token, clock)
        self._reads, self._writes = Limit(90, 1.0), Limit(22, 1.0)
        self._slugs: dict[str, str] = {}
        self._own: set[str] | None = None
        self._stages: dict[tuple[str, str], frozenset[str] | None] = {}

    def full(self, cursor: Cursor | None) -> Iterator[Page]:
        """Every company; see `Connector.full`. Each call reads all deals and tickets first."""
        now = self._now()
        at: Cursor = dict(cursor) if cursor else {"started": format_instant(now), "offset": 0}
        set_aside: list[Unreadable] = []
        reader = self._reader(now, None, set_aside)
        done = False
        while not done:
            records = self._query("companies", offset=at["offset"])
            companies = _companies(reader, records, set_aside)
            done = len(records) < _PAGE
            at["offset"] += _PAGE
            yield Page(companies, {"since": at["started"]} if done else dict(at), done=done, set_aside=set_aside)
            set_aside = []

    def changes(self, cursor: Cursor) -> Iterator[Page]:
        """No companies: Attio cannot be asked what changed."""
        yield Page((), cursor, done=True)

    def refresh(self, changes: Sequence[Change]) -> Refreshed:
        """The companies of named records; see `Connector.refresh`."""
        found = _Refreshing()
        for change in changes:
            slug = self._slug(change.kind)
            if slug == "companies":
                if not (change.field and change.field in self._own_attributes()):  # changed by `write_back`
                    found.ids[change.record_id] = None
            elif slug in self._references and not change.gone:
                with found.setting_aside(slug, change):
                    self._find_owners(slug, change, found)
        for company_id in found.ids:
            with found.setting_aside("companies", Change("companies", company_id)):
                self._refresh_company(company_id, found)
        return Refreshed(found.companies, found.gone, found.without_company, found.set_aside)

    def _find_owners(self, slug: str, change: Change, found: _Refreshing) -> None:
        """Find the companies of a record."""
        answer = self._get(slug, change.record_id)
        if answer.status in REFUSED:
            return
        notes = Notes()
        owners = references(_record(slug, at(answer.body, "data"), notes), self._references[slug])
        found.set_aside += notes.unreadable
        found.ids |= dict.fromkeys(owners)
        if not owners and not notes.unreadable:
            found.without_company.append(change)

    def _refresh_company(self, company_id: str, found: _Refreshing) -> None:
        """Read a company, or find that it is gone."""
        now, answer = self._now(), self._get("companies", company_id)
        if answer.status == HTTPStatus.NOT_FOUND and at(answer.body, "code") == _MERGING:
            found.without_company.append(Change("companies", company_id))
        elif answer.status == HTTPStatus.NOT_FOUND:
            found.gone.append(company_id)
        elif answer.status in REFUSED:
            found.set_aside.append(Unreadable("companies", company_id))
        else:
            reader = self._reader(now, company_id, found.set_aside)
            found.companies += _companies(reader, [at(answer.body, "data")], found.set_aside)

    def write_back(self, scores: Sequence[CompanyScore]) -> set[str]:
        """Write scores, one by one; see `Connector.write_back`."""

        def ask(alone: Sequence[CompanyScore], tries: int) -> Answer:
            (score,) = alone
            values = {_SCORE: score.score, _BAND: score.band, _REASON: score.reason}
            path = f"/v2/objects/companies/records/{quote(score.company_id, safe='')}"
            body, accept = {"data": {"values": values}}, {*REFUSED, *BROKEN}
            return self._client.call("PATCH", path, body, limits=[self._writes], accept=accept, tries=tries)

        answers = in_halves([[score] for score in scores], ask, refused=REFUSED, works=self._works)
        return {score.company_id for (score,), answer in answers if answer is not None}

    def create_properties(self) -> list[str]:
        """Create the attributes that scores are written to; see `Connector.create_properties`."""
        path = "/v2/objects/companies/attributes"
        there = {at(attribute, "api_slug") for attribute in self._attributes()}
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

    def _attributes(self) -> list[Any]:
        query = {"limit": str(_PAGE)}
        answer = self._client.call("GET", "/v2/objects/companies/attributes", limits=[self._reads], query=query)
        return _data(answer.body)

    def _own_attributes(self) -> set[str]:
        """Ids of the attributes that scores are written to. Webhooks name an attribute by its id."""
        if self._own is None:
            own = [given for given in self._attributes() if at(given, "api_slug") in _ATTRIBUTES]
            self._own = {str(at(given, "id", "attribute_id")) for given in own}
        return self._own

    def _now(self) -> datetime:
        return from_millis(millis(self._client.clock.now()))

    def _slug(self, object_id: str) -> str:
        """The slug of an object, by its id: webhooks name an object by its id."""
        if not self._slugs:
            objects = _data(self._client.call("GET", "/v2/objects", limits=[self._reads]).body)
            self._slugs = {str(at(given, "id", "object_id")): str(at(given, "api_slug")) for given in objects}
        return self._slugs.get(object_id, object_id)

    @property
    def _references(self) -> dict[str, str]:
        """The attribute that leads to a record's company, by the object whose records belong to one."""
        options = self._options
        tickets = {options.ticket_object: options.ticket_company_attribute} if options.ticket_object else {}
        return {"deals": DEAL_COMPANY, **tickets}

    def _get(self, slug: str, record_id: str) -> Answer:
        path = f"/v2/objects/{slug}/records/{quote(record_id, safe='')}"
        return self._client.call("GET", path, limits=[self._reads], accept=REFUSED)

    def _query(self, slug: str, *, offset: int, filters: object = None) -> list[Any]:
        """A page of records; None in the place of one at which alone Attio breaks."""
        found: list[Any] = []
        for _, records in in_halves(
            [range(offset, offset + _PAGE)],
            lambda part, tries: self._ask(slug, part, filters, tries),
            refused=(),
            works=self._works,
        ):
            found += [None] if records is None else _data(records)
        return found

    def _works(self) -> None:
        self._client.call("GET", "/v2/objects", limits=[self._reads])

    def _ask(self, slug: str, part: Sequence[int], filters: object, tries: int) -> Answer:
        body: dict[str, Any] = {
            "limit": len(part),
            "offset": part[0],
            "sorts": [{"attribute": "created_at", "direction": "asc"}],
        }
        accept = {HTTPStatus.NOT_FOUND, *BROKEN}
        if filters is not None:
            body["filter"] = filters
            accept.add(HTTPStatus.BAD_REQUEST)
        path = f"/v2/objects/{slug}/records/query"
        answer = self._client.call("POST", path, body, limits=[self._reads], accept=accept, tries=tries)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise AccessError(f"Attio has no object {slug}: switch it on, or correct its name in the options.")
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise AccessError(f"Attio's object {slug} has no attribute that leads to the company.")
        return answer

    def _reader(self, now: datetime, company_id: str | None, set_aside: list[Unreadable]) -> CompanyReader:
        """A reader of one company, or of all: with the records that belong to them."""
        options = self._options
        tickets = None
        if options.ticket_object:
            tickets = self._source(options.ticket_object, options.ticket_status_attribute, company_id, set_aside)
        return CompanyReader(options, now, self._source("deals", DEAL_STAGE, company_id, set_aside), tickets)

    def _source(self, slug: str, stage: str, company_id: str | None, set_aside: list[Unreadable]) -> Source:
        """The records of an object by the id of their company; of one company, or of all.

        They are unknown where the object is switched off, the token may not read it, or nothing leads to the company.
        """
        attribute = self._references[slug]
        filters = None
        if company_id is not None:
            filters = {attribute: {"target_object": "companies", "target_record_id": company_id}}
        found, leads = defaultdict[str, list[tuple[str, Any]]](list), False
        offset, page, notes = 0, list[Any](), Notes()
        while not offset or len(page) == _PAGE:
            try:
                page = self._query(slug, offset=offset, filters=filters)
            except AccessError:
                return Source(slug, None)
            offset += _PAGE
            for given in page:
                record = _record(slug, given, notes)
                leads = leads or record.has(attribute)
                for owner in references(record, attribute):
                    found[owner].append((record.record_id, record.fields))
        set_aside += notes.unreadable
        if offset == _PAGE and page and not leads:
            return Source(f"{slug}.{attribute}", None)
        return Source(slug, found, self._titles(slug, stage))

    def _titles(self, slug: str, attribute: str) -> frozenset[str] | None:
        """The titles that a status or select attribute can have; None where it is neither, or does not say."""
        key = (slug, attribute)
        if key not in self._stages:
            self._stages[key] = None
            for part in ("statuses", "options"):
                path = f"/v2/objects/{slug}/attributes/{quote(attribute, safe='')}/{part}"
                try:
                    answer = self._client.call("GET", path, limits=[self._reads], accept=REFUSED)
                except AccessError:
                    break
                given = at(answer.body, "data")
                if answer.status not in REFUSED and isinstance(given, list) and given:
                    there = [one for one in given if at(one, "is_archived") is not True]
                    self._stages[key] = frozenset(str(at(one, "title")) for one in there)
                    break
        return self._stages[key]


@dataclass(slots=True)
class _Refreshing:
    """What is found while records are refreshed, one by one."""

    ids: dict[str, None] = field(default_factory=dict)
    """Of companies to read."""
    companies: list[Company] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    without_company: list[Change] = field(default_factory=list)
    set_aside: list[Unreadable] = field(default_factory=list)

    @contextmanager
    def setting_aside(self, slug: str, change: Change) -> Iterator[None]:
        """Set a record aside for which alone Attio has no answer; it is asked for once more later."""
        try:
            yield
        except (AccessError, QuotaError):
            raise
        except CrmError:
            self.set_aside.append(Unreadable(slug, change.record_id))
            self.without_company.append(change)


def _companies(reader: CompanyReader, records: Sequence[Any], set_aside: list[Unreadable]) -> list[Company]:
    found = []
    for given in records:
        notes = Notes()
        record = _record("companies", given, notes)
        if not record.record_id or record.fields is None:
            set_aside += notes.unreadable or [Unreadable("companies", record.record_id)]
            continue
        try:
            found.append(reader.company(record.record_id, record.fields))
        except Exception:  # noqa: BLE001  (a record that nobody foresaw stops no other)
            set_aside.append(Unreadable("companies", record.record_id))
    return found


def _record(slug: str, given: object, notes: Notes) -> Record:
    """A record with its id, which is empty where it cannot be read."""
    return Record(slug, record_id(at(given, "id", "record_id")) or "", at(given, "values"), notes, first)


def _data(body: object) -> list[Any]:
    data = at(body, "data")
    if not isinstance(data, list):
        raise CrmError("Attio's answer is not what its documentation says: it has no list of data.")
    return data
