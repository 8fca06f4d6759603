"""What Attio's records say of a company: its deals, tickets and interactions, and the facts that follow.

Every value is a list, empty where there is none. An attribute that a record does not have at all does not exist, or was
archived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.ids import normalised
from healthscore.integrations.crm.facts import UNKNOWN, Deal, Records, Ticket, crm_facts
from healthscore.integrations.crm.options import Options
from healthscore.integrations.crm.protocol import Company
from healthscore.integrations.crm.reading import Notes, Record, amount, at, day, instant, record_id, short_id, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.integrations.crm.facts import Unknown

NAME = "attio"
DEAL_COMPANY, DEAL_STAGE = "associated_company", "stage"
_DOMAINS = "domains"
_MEETING, _EMAIL, _CONTACT = "last_calendar_interaction", "last_email_interaction", "last_interaction"
_VALUES = ("value", "currency_value", "status", "option")
"""Where the types of attributes that are read have their value."""


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


@dataclass(frozen=True, slots=True)
class Source:
    """The records of an object by the id of their company.

    Attributes:
        records: by the company's id; None where they are unknown.
        stages: the titles that a stage or status can have now; None where it is free text.
    """

    kind: str
    records: Mapping[str, Sequence[tuple[str, Any]]] | None
    stages: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class CompanyReader:
    """Reads companies.

    Attributes:
        options: the workspace's.
        now: the instant at which reading began.
        deals: all deals that may be of them.
        tickets: all tickets; None where none are configured.
    """

    options: AttioOptions
    now: datetime
    deals: Source
    tickets: Source | None

    def company(self, company_id: str, values: object) -> Company:
        """One company with its facts."""
        notes, options = Notes(), self.options
        record = Record("companies", company_id, values, notes, first)
        deals = self._of(self.deals, company_id, notes)
        tickets = None if self.tickets is None else self._of(self.tickets, company_id, notes)
        read_deals = None if deals is None else [self._deal(deal) for deal in deals]
        read_tickets = None if tickets is None else [self._ticket(ticket) for ticket in tickets]
        rests_on = [
            *(one.record_id for one, deal in zip(deals or (), read_deals or (), strict=True) if not _is_lost(deal)),
            *(one.record_id for one, it in zip(tickets or (), read_tickets or (), strict=True) if not _is_closed(it)),
        ]
        named = self._domains(record)
        records = Records(
            tickets=read_tickets,
            deals=read_deals,
            meetings=_interaction(record, _MEETING),
            emails=_interaction(record, _EMAIL),
            contacts=_interaction(record, _CONTACT),
            churned=self._churned(record),
            arr=record.read(options.arr_attribute, amount) if options.arr_attribute else None,
        )
        name = record.read("name", text)
        account_id = record.read(options.account_property, short_id) if self._says_account_id(record) else None
        return Company(
            company_id=company_id,
            name=name if isinstance(name, str) else "",
            domains=tuple(one for one in named if isinstance(one, str)),
            account_id=normalised(account_id) or None if isinstance(account_id, str) else account_id,
            facts=crm_facts(NAME, records, self.now),
            says_account_id=not options.account_property or self._says_account_id(record),
            says_domains=UNKNOWN not in named,
            rests_on=tuple(rests_on),
            unreadable=tuple(notes.unreadable),
            missing=frozenset(notes.missing),
        )

    def _domains(self, company: Record) -> list[str | Unknown]:
        entries = company.several(_DOMAINS)
        if entries is None:
            return [UNKNOWN]
        found = []
        for given in entries:
            entry = Record("companies", company.record_id, {_DOMAINS: given}, company.notes)
            found.append(entry.read(_DOMAINS, lambda value: text(at(value, "domain"))))
        return [one for one in found if one is not None]

    def _says_account_id(self, company: Record) -> bool:
        return bool(self.options.account_property) and company.has(self.options.account_property)

    def _of(self, source: Source, company_id: str, notes: Notes) -> list[Record] | None:
        if source.records is None:
            notes.missing.add(source.kind)
            return None
        return [Record(source.kind, one, values, notes, first) for one, values in source.records.get(company_id, ())]

    def _churned(self, company: Record) -> bool | Unknown | None:
        if not self.options.churned_attribute:
            return None
        found = company.read(self.options.churned_attribute, text)
        # An empty attribute is not "no": nobody has said anything.
        return found in self.options.churned_values if isinstance(found, str) else UNKNOWN

    def _ticket(self, ticket: Record) -> Ticket:
        options = self.options
        status = _stage(ticket, options.ticket_status_attribute, self.tickets.stages if self.tickets else None)
        priority = ticket.read(options.ticket_priority_attribute, text) if options.ticket_priority_attribute else None
        return Ticket(
            is_open=status not in options.ticket_closed_values if isinstance(status, str) else UNKNOWN,
            high_priority=UNKNOWN if priority is UNKNOWN else priority in options.high_priorities,
        )

    def _deal(self, deal: Record) -> Deal:
        options = self.options
        stage = _stage(deal, DEAL_STAGE, self.deals.stages)
        renewal = deal.read(options.renewal_attribute, day) if options.renewal_attribute else None
        updated = _updated_at(deal)
        if not isinstance(stage, str):
            return Deal(UNKNOWN, UNKNOWN, updated, renewal)
        won = stage in options.won_stages
        return Deal(not won and stage not in options.lost_stages, won, updated, renewal)


def first(given: Any) -> Any:  # noqa: ANN401  (JSON)
    """The first value of an attribute, whatever its type: text, status, select, number, currency, date, interaction.

    Raises:
        ValueError: it is no list of values.
    """
    if not isinstance(given, list):
        raise ValueError("not a list")  # noqa: TRY004  (any value may stand here)
    for value in given:
        if not isinstance(value, Mapping):
            raise ValueError("not a value")  # noqa: TRY004
        if "interacted_at" in value:
            return value["interacted_at"]
        found = next((value[name] for name in _VALUES if value.get(name) is not None), None)
        if found is not None:
            return found["title"] if isinstance(found, Mapping) else found
        if not any(name in value for name in _VALUES):
            raise ValueError("not a value")
    return None


def references(record: Record, attribute: str) -> list[str]:
    """The ids of the companies that a record refers to; a reference that cannot be read is noted."""
    found = []
    for given in record.several(attribute) or ():
        target, kind = record_id(at(given, "target_record_id")), at(given, "target_object") or "companies"
        if target is None or not isinstance(kind, str):
            record.set_aside(attribute)
        elif kind == "companies":
            found.append(target)
    return found


def _stage(record: Record, attribute: str, stages: frozenset[str] | None) -> str | Unknown | None:
    found = record.read(attribute, text)
    if isinstance(found, str) and stages is not None and found not in stages:
        record.set_aside(attribute)
        return UNKNOWN
    return found


def _updated_at(deal: Record) -> datetime | Unknown | None:
    """A deal has no time of change, but each of its values has the time since when it is valid."""
    since = []
    for name, values in (deal.fields or {}).items():
        entries = [{name: at(value, "active_from")} for value in values] if isinstance(values, list) else []
        since += [Record(deal.kind, deal.record_id, entry, deal.notes).read(name, instant) for entry in entries]
    known = [when for when in since if when is not None and when is not UNKNOWN]
    return max(known) if known else UNKNOWN if UNKNOWN in since else None


def _interaction(company: Record, attribute: str) -> list[datetime | Unknown] | None:
    """An empty interaction is unknown: not every plan has them."""
    found = company.read(attribute, instant)
    return None if found is None else [found]


def _is_lost(deal: Deal) -> bool:
    return deal.is_open is False and deal.won is False


def _is_closed(ticket: Ticket) -> bool:
    return ticket.is_open is False
