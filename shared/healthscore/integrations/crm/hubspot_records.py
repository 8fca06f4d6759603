"""What HubSpot's records say of a company: its tickets, deals, meetings and emails, and the facts that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.ids import normalised
from healthscore.integrations.crm.facts import UNKNOWN, Deal, Records, Ticket, crm_facts
from healthscore.integrations.crm.options import Options
from healthscore.integrations.crm.protocol import Company
from healthscore.integrations.crm.reading import Notes, Record, amount, at, day, instant, short_id, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from healthscore.integrations.crm.facts import Unknown

    RecordsOf = Callable[[Record], list[Record] | None]
    """From a company to its records of a kind; None means unknown."""

NAME = "hubspot"
_NOT_HELD = {"CANCELED", "CANCELLED", "NO_SHOW", "RESCHEDULED"}
_NOT_SENT = {"BOUNCED", "FAILED", "SCHEDULED", "SENDING"}
_LONGEST_LIST = 70_000
"""Characters that HubSpot lets a text have, and a little more."""


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


@dataclass(frozen=True, slots=True)
class CompanyReader:
    """Reads companies out of what one page of calls has answered.

    Attributes:
        options: the workspace's.
        now: the instant at which reading began.
        tickets: a company's tickets.
        deals: its deals.
        meetings: its meetings.
        emails: its emails.
        stages: by kind, the metadata of the pipelines' stages.
    """

    options: HubSpotOptions
    now: datetime
    tickets: RecordsOf
    deals: RecordsOf
    meetings: RecordsOf
    emails: RecordsOf
    stages: Mapping[str, Mapping[str, Any]]

    def company(self, company_id: str, properties: object) -> Company:
        """One company with its facts."""
        notes, options = Notes(), self.options
        record = Record("companies", company_id, properties, notes)
        rests_on: list[str] = []

        tickets = _each(self.tickets(record), self._ticket)
        rests_on += [one for one, ticket in tickets or () if ticket.is_open is not False]
        deals = _each(self.deals(record), self._deal)
        rests_on += [one for one, deal in deals or () if deal.is_open is not False or deal.won is not False]
        meetings = _each(self.meetings(record), _meeting)
        emails = _each(self.emails(record), _email)
        rests_on += [*self._latest(meetings), *self._latest(emails)]
        contacted = record.read("notes_last_contacted", instant)
        arr = record.read(options.arr_property, amount) if options.arr_property else None
        records = Records(
            tickets=_values(tickets),
            deals=_values(deals),
            meetings=_values(meetings),
            emails=_values(emails),
            contacts=[contacted] if contacted is not None else [],
            churned=self._churned(record),
            arr=arr,
        )

        name, account_id = record.read("name", text), self._account_id(record)
        first, others = record.read("domain", text), record.read("hs_additional_domains", _several)
        domains = [*([first] if isinstance(first, str) else ()), *(others if isinstance(others, list) else ())]
        merged = record.read("hs_merged_object_ids", _several)
        return Company(
            company_id=company_id,
            name=name if isinstance(name, str) else "",
            domains=tuple(domains),
            account_id=account_id,
            facts=crm_facts(NAME, records, self.now),
            says_account_id=not options.account_property or record.has(options.account_property),
            says_domains=UNKNOWN not in (first, others),
            merged_ids=tuple(one for one in merged if one.isdecimal()) if isinstance(merged, list) else (),
            rests_on=tuple(filter(None, rests_on)),
            unreadable=tuple(notes.unreadable),
            missing=frozenset(notes.missing),
        )

    def _account_id(self, company: Record) -> str | Unknown | None:
        if not self.options.account_property:
            return None
        found = company.read(self.options.account_property, short_id)
        if not company.has(self.options.account_property):
            return None
        return normalised(found) or None if isinstance(found, str) else found

    def _churned(self, company: Record) -> bool | Unknown | None:
        if not self.options.churned_property:
            return None
        found = company.read(self.options.churned_property, text)
        # An empty property is not "no": nobody has said anything.
        return found in self.options.churned_values if isinstance(found, str) else UNKNOWN

    def _ticket(self, ticket: Record) -> Ticket:
        state = at(self._stage(ticket, "hs_pipeline_stage"), "ticketState")
        priority = ticket.read("hs_ticket_priority", text)
        return Ticket(
            is_open={"OPEN": True, "CLOSED": False}.get(state, UNKNOWN) if isinstance(state, str) else UNKNOWN,
            high_priority=UNKNOWN if priority is UNKNOWN else priority in self.options.high_priorities,
        )

    def _deal(self, deal: Record) -> Deal:
        metadata = self._stage(deal, "dealstage")
        closed, probability = str(at(metadata, "isClosed")).lower(), _number(at(metadata, "probability"))
        is_open: bool | Unknown = {"true": False, "false": True}.get(closed, UNKNOWN)
        won: bool | Unknown = UNKNOWN if probability is None else probability == 1
        renewal = self.options.renewal_property
        return Deal(
            is_open=is_open,
            won=False if is_open is True else won if is_open is False else UNKNOWN,
            updated_at=deal.read("hs_lastmodifieddate", instant),
            renewal_date=deal.read(renewal, day) if renewal else None,
        )

    def _stage(self, record: Record, name: str) -> object:
        """The metadata of a record's stage; None where the record has none, or one that is in no pipeline."""
        stage, stages = record.read(name, text), self.stages[record.kind]
        if not isinstance(stage, str):
            return None
        if stage not in stages:
            record.set_aside(name)
        return stages.get(stage)

    def _latest(self, contacts: Sequence[tuple[str, datetime | Unknown]] | None) -> list[str]:
        """The id of the latest contact that counts, if there is one."""
        past = [(when, one) for one, when in contacts or () if when is not UNKNOWN and when <= self.now]
        return [max(past)[1]] if past else []


def _each(records: list[Record] | None, read: Callable[[Record], Any]) -> list[tuple[str, Any]] | None:
    if records is None:
        return None
    return [(record.record_id, value) for record in records if (value := read(record)) is not None]


def _values(pairs: list[tuple[str, Any]] | None) -> list[Any] | None:
    return None if pairs is None else [value for _, value in pairs]


def _meeting(meeting: Record) -> datetime | Unknown | None:
    return _if_not(meeting.read("hs_meeting_outcome", text), _NOT_HELD, meeting.read("hs_meeting_start_time", instant))


def _email(email: Record) -> datetime | Unknown | None:
    return _if_not(email.read("hs_email_status", text), _NOT_SENT, email.read("hs_timestamp", instant))


def _if_not(
    state: str | Unknown | None, excluded: set[str], when: datetime | Unknown | None
) -> datetime | Unknown | None:
    """The time of a contact that took place; None where it did not, or has no time."""
    if when is None or state in excluded:
        return None
    return UNKNOWN if state is UNKNOWN else when


def _several(given: object) -> list[str]:
    """The values of a property that has several."""
    return [part for part in text(given, _LONGEST_LIST).split(";") if part]


def _number(given: object) -> float | None:
    try:
        return float(str(given)) if given not in (None, "") else None
    except ValueError:
        return None
