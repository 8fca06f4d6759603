"""HubSpot, by its dated API: companies with their tickets, deals, meetings and emails.

A full run lists the companies, a thousand a page, with one read of associations per kind of record. A run for changes
searches the records modified since the last run, walks the hits by id (a search ends after 10,000 hits and does not
order equal times reliably), and reads the companies that these records belong to. The search finds a change some time
after it was made, so each run looks back 5 minutes more, and once an hour a run looks back a whole hour more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, from_millis, millis, parse_instant
from healthscore.integrations.crm import hubspot_api
from healthscore.integrations.crm.hubspot_records import CompanyReader, HubSpotOptions
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
from healthscore.integrations.crm.reading import Notes, Record, instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthscore.integrations.crm.client import Clock
    from healthscore.integrations.crm.hubspot_records import RecordsOf
    from healthscore.integrations.crm.protocol import CompanyScore, Cursor

OVERLAP = timedelta(minutes=5)
"""How far a run for changes looks back before the start of the one before."""
LAGGED_EVERY = timedelta(hours=1)
"""How often a run looks back by this much more, for changes that the search finds late."""

_NEWEST = 100
"""How many meetings, and emails, of a company are read: those with the highest ids, which are the newest."""
_KINDS = ("companies", "tickets", "deals", "meetings", "emails")
_DELETED_KINDS = ("companies", "tickets", "deals")
"""Kinds of which a run for changes asks what was deleted."""
_PAGES_OF_DELETED = 20
"""Pages of a hundred deleted records that it looks through, of each kind."""


class HubSpot:
    """A HubSpot account."""

    capabilities = Capabilities(incremental=True, full_every=timedelta(days=1), repeat_header=None)

    def __init__(self, options: HubSpotOptions, token: str, url: str, clock: Clock | None) -> None:
        self._options = options
        self._api = hubspot_api.Api(token, url or hubspot_api.URL, options.calls_per_10_seconds, clock)
        self._stages: dict[str, dict[str, Any]] = {}

    def full(self, cursor: Cursor | None) -> Iterator[Page]:
        """Every company; see `Connector.full`."""
        at: Cursor = dict(cursor) if cursor else {"started": format_instant(self._now()), "after": None}
        done = False
        while not done:
            now = self._now()
            listed: list[tuple[str | None, Any]] = []
            while len(listed) < hubspot_api.ASSOCIATED and not done:
                page = self._api.listed("companies", self._company_properties(), at["after"])
                listed += [(company_id, properties) for company_id, properties, _ in page.records]
                at["after"] = page.after
                done = page.after is None
            companies, set_aside = self._companies(listed, now)
            after: Cursor = {"since": at["started"], "lagged": at["started"]} if done else dict(at)
            yield Page(companies, after, done=done, set_aside=set_aside)

    def changes(self, cursor: Cursor) -> Iterator[Page]:
        """The companies that changed; see `Connector.changes`."""
        at = dict(cursor) if "started" in cursor else self._changes_from(cursor)
        seen: set[str] = set()
        while at["kind"] < len(_KINDS):
            kind = _KINDS[at["kind"]]
            ids, above = self._modified(kind, parse_instant(at["from"]), at["last"])
            at |= {"kind": at["kind"] + 1, "last": "0"} if above is None else {"last": above}
            companies, _, malformed = self._companies_of([Change(kind, record_id) for record_id in ids])
            fresh = companies - seen
            seen |= fresh
            found = self._read_companies(fresh)
            yield Page(found.companies, dict(at), done=False, gone=found.gone, set_aside=[*malformed, *found.set_aside])
        deleted = list(self._deleted(parse_instant(at["from"])))
        yield Page(
            companies=(),
            cursor={"since": at["started"], "lagged": at["lagged"]},
            done=True,
            gone=[change.record_id for change in deleted if change.kind == "companies"],
            deleted=[change for change in deleted if change.kind != "companies"],
        )

    def refresh(self, changes: Sequence[Change]) -> Refreshed:
        """The companies of named records; see `Connector.refresh`."""
        ids, without_company, malformed = self._companies_of(changes)
        found = self._read_companies(ids)
        return Refreshed(found.companies, found.gone, without_company, [*malformed, *found.set_aside])

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

    def _modified(self, kind: str, since: datetime, above: str) -> tuple[list[str], str | None]:
        try:
            return self._api.modified(kind, since, above)
        except AccessError:
            if kind == "companies":
                raise
            return [], None

    def _deleted(self, since: datetime) -> Iterator[Change]:
        """What was deleted since an instant, as far as a few pages say; a full run finds the rest."""
        for kind in _DELETED_KINDS:
            after = None
            for _ in range(_PAGES_OF_DELETED):
                try:
                    page = self._api.listed(kind, ["hs_object_id"], after, archived=True)
                except QuotaError:
                    raise
                except CrmError:
                    break
                for record_id, _properties, archived_at in page.records:
                    deleted_at = Record(kind, record_id or "", {"at": archived_at}, Notes()).read("at", instant)
                    if record_id and (not isinstance(deleted_at, datetime) or deleted_at >= since):
                        yield Change(kind, record_id, gone=True)
                after = page.after
                if after is None:
                    break

    def _companies_of(self, changes: Iterable[Change]) -> tuple[set[str], list[Change], list[Unreadable]]:
        """Ids of the companies that records are or belong to, the records that belong to none, and unreadable ones."""
        companies, without_company, malformed = set[str](), list[Change](), list[Unreadable]()
        by_kind: dict[str, dict[str, Change]] = {}
        for change in changes:
            by_kind.setdefault(change.kind, {})[change.record_id] = change
        for kind, named in by_kind.items():
            ids = hubspot_api.by_id(named)
            if kind == "companies":
                companies.update(ids)
                continue
            associated = hubspot_api.readable(self._api.associated, kind, "companies", ids)
            if associated is None:
                associated = hubspot_api.Associations()
            for record_id in ids:
                companies.update(associated.found.get(record_id, ()))
                if record_id in associated.malformed | associated.failed:
                    malformed.append(Unreadable(kind, record_id, "companies"))
                if not associated.found.get(record_id):
                    without_company.append(named[record_id])
        return companies, without_company, malformed

    def _read_companies(self, ids: Iterable[str]) -> Refreshed:
        now, wanted = self._now(), hubspot_api.by_id(ids)
        read = self._api.read("companies", wanted, self._company_properties())
        companies, set_aside = self._companies(list(read.found.items()), now)
        return Refreshed(companies, hubspot_api.by_id(read.gone), (), set_aside)

    def _company_properties(self) -> list[str]:
        names = ("name", "domain", "hs_additional_domains", "notes_last_contacted", "hs_merged_object_ids")
        chosen = (self._options.account_property, self._options.arr_property, self._options.churned_property)
        return [*names, *filter(None, chosen)]

    def _companies(
        self, listed: Sequence[tuple[str | None, Any]], now: datetime
    ) -> tuple[list[Company], list[Unreadable]]:
        """Companies with their facts, from their ids and properties, and those that could not be read.

        `now` is the instant at which reading these began.
        """
        named = [(company_id, properties) for company_id, properties in listed if company_id is not None]
        set_aside = [Unreadable("companies", "")] * (len(named) < len(listed))
        ids = [company_id for company_id, properties in named if isinstance(properties, dict)]
        set_aside += [Unreadable("companies", one) for one, properties in named if not isinstance(properties, dict)]
        if not ids:
            return [], set_aside
        renewal = filter(None, [self._options.renewal_property])
        reader = CompanyReader(
            options=self._options,
            now=now,
            tickets=self._of_companies(ids, "tickets", ["hs_pipeline_stage", "hs_ticket_priority"]),
            deals=self._of_companies(ids, "deals", ["dealstage", "hs_lastmodifieddate", *renewal]),
            meetings=self._of_companies(ids, "meetings", ["hs_meeting_start_time", "hs_meeting_outcome"]),
            emails=self._of_companies(ids, "emails", ["hs_timestamp", "hs_email_status"]),
            stages=self._stages,
        )
        companies = []
        for company_id, properties in named:
            if not isinstance(properties, dict):
                continue
            try:
                companies.append(reader.company(company_id, properties))
            except Exception:  # noqa: BLE001  (a record that nobody foresaw stops no other)
                set_aside.append(Unreadable("companies", company_id))
        return companies, set_aside

    def _of_companies(self, ids: Sequence[str], kind: str, properties: Sequence[str]) -> RecordsOf:
        """A function from a company's id to its records of a kind; None means unknown."""
        associated = hubspot_api.readable(self._api.associated, "companies", kind, ids)
        read: hubspot_api.Read | None = None
        by_company: dict[str, list[str]] = {}
        if associated is not None and self._knows_stages(kind):
            by_company = associated.found
            if kind in ("meetings", "emails"):
                by_company = {one: hubspot_api.by_id(found)[-_NEWEST:] for one, found in by_company.items()}
            wanted = hubspot_api.by_id(record_id for found in by_company.values() for record_id in found)
            read = hubspot_api.readable(self._api.read, kind, wanted, properties)

        def of(company: Record) -> list[Record] | None:
            if read is None or associated is None:
                company.notes.missing.add(kind)
                return None
            if company.record_id in associated.failed:
                company.set_aside(kind)
                return None
            found = [
                Record(kind, record_id, read.found[record_id], company.notes)
                for record_id in by_company.get(company.record_id, ())
                if record_id in read.found
            ]
            if company.record_id in associated.malformed:
                # There is one more record, and nothing is known of it.
                company.set_aside(kind)
                found.append(Record(kind, "", None, Notes()))
            return found

        return of

    def _knows_stages(self, kind: str) -> bool:
        """Read what the stages of a kind mean, where it has stages; False where the token may not read them."""
        if kind in ("tickets", "deals") and kind not in self._stages:
            stages = hubspot_api.readable(self._api.stages, kind)
            if stages is None:
                return False
            self._stages[kind] = stages
        return True
