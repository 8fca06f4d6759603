"""Values that a CRM may hold and that cannot be read, and accounts in fake CRMs to put them into."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st

from healthscore.integrations.crm.attio import Attio
from healthscore.integrations.crm.attio_records import AttioOptions
from healthscore.integrations.crm.hubspot import HubSpot
from healthscore.integrations.crm.hubspot_records import HubSpotOptions
from tools.fakes.attio import FakeAttio
from tools.fakes.hubspot import FakeHubSpot

if TYPE_CHECKING:
    from healthscore.integrations.crm.protocol import Company

TEXT, TIME, AMOUNT, IDS, STAGE, LINK = "text", "time", "amount", "ids", "stage", "link"

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
containers = any_json.filter(lambda given: isinstance(given, list | dict))
_no_text = containers | st.sampled_from([float("nan"), float("inf"), "x" * 100_000, "half \ud800"])
_no_time = [
    *(
        "Q2 2027",
        "soon",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "2027-02-30",
        "2027-W05-1",
        "20270131T",
        "31.01.2027",
    ),
    *("2027-01-31T25:00:00Z", "12345678901234567890", "\u0662\u0660\u0662\u0667", True, 1.5),
]
BAD = {
    TEXT: _no_text,
    IDS: _no_text,
    TIME: _no_text | st.sampled_from(_no_time),
    AMOUNT: _no_text | st.sampled_from(["about 5k", "1,200", "-1", "1e300", "\u20ac 5", True, -3]),
    STAGE: _no_text | st.sampled_from(["a stage that was deleted", "Open", 77]),
    LINK: containers.filter(bool) | st.sampled_from(["text", 5, True]),
}
"""What cannot be read, whatever else it may be, by the type of field."""


@dataclass
class InHubSpot:
    """Three companies, each an account, with records of every kind; records of the first are spoilt."""

    fake: FakeHubSpot
    baseline: dict[str, Company] = field(default_factory=dict)
    """The companies as they are while nothing is spoilt."""
    those_without: dict[str, dict[str, Company]] = field(default_factory=dict)
    """The companies as they are without the record that is to be spoilt, by its kind."""

    provider: ClassVar[str] = "hubspot"
    chosen: ClassVar[dict[str, Any]] = {
        "arr_property": "arr",
        "churned_property": "lifecycle",
        "churned_values": ["churned"],
    }
    fields: ClassVar[dict[str, dict[str, str]]] = {
        "companies": {
            "name": TEXT,
            "domain": TEXT,
            "hs_additional_domains": TEXT,
            "hs_merged_object_ids": IDS,
            "notes_last_contacted": TIME,
            "account_id": TEXT,
            "arr": AMOUNT,
            "lifecycle": TEXT,
        },
        "tickets": {"hs_pipeline_stage": STAGE, "hs_ticket_priority": TEXT},
        "deals": {"dealstage": STAGE, "hs_lastmodifieddate": TIME, "renewal_date": TIME},
        "meetings": {"hs_meeting_start_time": TIME, "hs_meeting_outcome": TEXT},
        "emails": {"hs_timestamp": TIME, "hs_email_status": TEXT},
    }

    def __post_init__(self) -> None:
        self.companies = [self._company(name) for name in ("one", "two", "three")]
        self.spoilt = {"companies": self.companies[0]} | {
            kind: self._records(kind, self.companies[0])[0] for kind in ("tickets", "deals", "meetings", "emails")
        }

    def _company(self, name: str) -> str:
        fake, now = self.fake, self.fake.clock.now()
        company = fake.add(
            "companies",
            name=name,
            domain=f"{name}.com",
            account_id=name,
            arr="1200",
            lifecycle="customer",
            notes_last_contacted=now - timedelta(days=40),
            hs_additional_domains="",
        )
        for days in (3, 5):
            then = now - timedelta(days=days)
            fake.add("tickets", company, hs_pipeline_stage="1", hs_ticket_priority="HIGH")
            fake.add("deals", company, dealstage="closedwon", renewal_date=f"2027-0{days}-01")
            fake.add("meetings", company, hs_meeting_start_time=then, hs_meeting_outcome="COMPLETED")
            fake.add("emails", company, hs_timestamp=then, hs_email_status="SENT")
        return company

    def _records(self, kind: str, company: str) -> list[str]:
        return [one for one, _ in self.fake._links["companies", company][kind]]

    def put(self, kind: str, name: str, value: Any) -> None:
        """Have a field of a record of the first company hold a value."""
        self.fake.objects[kind][self.spoilt[kind]][name] = value

    def values(self, kind: str) -> dict[str, Any]:
        """The values of the record that is spoilt."""
        return self.fake.objects[kind][self.spoilt[kind]]

    def whole(self, kind: str, value: Any) -> None:
        """Have a value answered in the place of a record."""
        self.fake.raw[kind, self.spoilt[kind]] = value

    def link(self, kind: str, value: Any) -> None:
        """Have a value answered in the place of the first company's associations with a kind."""
        owner = {"id": self.companies[0]}
        self.fake.raw_links["companies", self.companies[0], kind] = {"from": owner, "to": value}

    def without(self, kind: str) -> None:
        """Take the record out, as if it had never been."""
        del self.fake.objects[kind][self.spoilt[kind]]

    def remove(self, kind: str, name: str) -> None:
        """Delete a property."""
        self.fake.removed.add((kind, name))

    def connector(self) -> HubSpot:
        chosen: ClassVar[dict[str, Any]] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self.chosen.items()
        }
        return HubSpot(HubSpotOptions(**chosen), self.fake.token, self.fake.url, self.fake.clock)


@dataclass
class InAttio:
    """The same in Attio."""

    fake: FakeAttio
    baseline: dict[str, Company] = field(default_factory=dict)
    """The companies as they are while nothing is spoilt."""
    those_without: dict[str, dict[str, Company]] = field(default_factory=dict)
    """The companies as they are without the record that is to be spoilt, by its kind."""

    provider: ClassVar[str] = "attio"
    chosen: ClassVar[dict[str, Any]] = {
        "ticket_object": "tickets",
        "arr_attribute": "arr",
        "churned_attribute": "customer_status",
        "churned_values": ["Gone"],
    }
    fields: ClassVar[dict[str, dict[str, str]]] = {
        "companies": {
            "name": TEXT,
            "domains": TEXT,
            "account_id": TEXT,
            "arr": AMOUNT,
            "customer_status": TEXT,
            "last_interaction": TIME,
            "last_calendar_interaction": TIME,
            "last_email_interaction": TIME,
        },
        "tickets": {"status": STAGE, "priority": TEXT, "company": LINK},
        "deals": {"stage": STAGE, "renewal_date": TIME, "associated_company": LINK},
    }

    def __post_init__(self) -> None:
        self.fake.records["tickets"] = {}
        self.companies = [self._company(name) for name in ("one", "two", "three")]
        self.spoilt = {"companies": self.companies[0]} | {
            kind: next(iter(self.fake.records[kind])) for kind in ("tickets", "deals")
        }

    def _company(self, name: str) -> str:
        fake, now = self.fake, self.fake.clock.now()
        company = fake.add(
            "companies",
            name=name,
            domains=[f"{name}.com"],
            account_id=name,
            arr=1200,
            customer_status="Customer",
            last_interaction=now - timedelta(days=40),
            last_calendar_interaction=now - timedelta(days=3),
            last_email_interaction=now - timedelta(days=5),
        )
        for month in (3, 5):
            fake.add("tickets", company=company, status="New", priority="High")
            fake.add("deals", company=company, stage="Won", renewal_date=f"2027-0{month}-01")
        return company

    def put(self, kind: str, name: str, value: Any) -> None:
        kept = self.fake.records[kind][self.spoilt[kind]]["values"]
        if self.fields[kind][name] == LINK:
            kept[name] = value
            return
        part = {"domains": "domain", "status": "status", "stage": "status"}.get(name, "value")
        part = "interacted_at" if name.endswith("interaction") else part
        kept[name] = [{part: {"title": value} if part == "status" else value}]

    def values(self, kind: str) -> dict[str, Any]:
        values: dict[str, Any] = self.fake.records[kind][self.spoilt[kind]]["values"]
        return values

    def whole(self, kind: str, value: Any) -> None:
        self.fake.raw[kind, self.spoilt[kind]] = value

    def link(self, kind: str, value: Any) -> None:
        name = "associated_company" if kind == "deals" else "company"
        self.fake.records[kind][self.spoilt[kind]]["values"][name] = value

    def without(self, kind: str) -> None:
        self.fake.delete(kind, self.spoilt[kind])

    def remove(self, kind: str, name: str) -> None:
        self.fake.removed.add((kind, name))

    def connector(self) -> Attio:
        chosen: ClassVar[dict[str, Any]] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self.chosen.items()
        }
        return Attio(AttioOptions(**chosen), self.fake.token, self.fake.url, self.fake.clock)


DESKS = {"hubspot": (FakeHubSpot, InHubSpot), "attio": (FakeAttio, InAttio)}
FIELDS = [
    (provider, kind, name)
    for provider, (_, desk) in DESKS.items()
    for kind, names in desk.fields.items()
    for name in names
]
KINDS = [(provider, kind) for provider, (_, desk) in DESKS.items() for kind in desk.fields]
