"""An Attio workspace: records whose values are always lists, queries with offsets, limits, webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from tools.fakes.server import Call, FakeService, Reply, VirtualClock, Window

SECRET = "fake-attio-secret"
_PAGE = 500
"""The most records that a query gives."""
_STATUSES = {"stage", "status"}
_SELECTS = {"priority", "customer_status"}
_ATTRIBUTES = {
    "companies": ("name", "domains"),
    "deals": ("stage", "associated_company", "renewal_date"),
    "tickets": ("status", "company", "priority"),
}
"""Attributes that an object has, whether or not a record has a value."""


class FakeAttio(FakeService):
    """One workspace."""

    def __init__(self, clock: VirtualClock | None = None, *, address: str = "127.0.0.1") -> None:
        super().__init__(clock, address=address)
        self.records: dict[str, dict[str, dict[str, Any]]] = {"companies": {}, "deals": {}}
        self.attributes: dict[str, str] = {}
        """Ids of the attributes of companies by slug."""
        self.refused: set[str] = set()
        """Ids of records that cannot be updated."""
        self.removed: set[tuple[str, str]] = set()
        """Object and slug of attributes that were archived, or that the token may not read."""
        self.titles: dict[tuple[str, str], dict[str, bool]] = {}
        """The titles of statuses by object and attribute, and whether they are in use or were archived."""
        self.raw: dict[tuple[str, str], Any] = {}
        """What is answered in the place of a record, by object and id."""
        self.merging: set[str] = set()
        """Records that are still being put together from two."""
        self.reads, self.writes = Window(100, 1), Window(25, 1)
        self._next = 0

    def object_id(self, slug: str) -> str:
        """The id by which webhooks name an object."""
        return str(UUID(int=10**6 + sorted(self.records).index(slug)))

    def add(self, slug: str, **given: Any) -> str:
        """Create a record and return its id. `company` is the id of the company of a deal or ticket."""
        self._next += 1
        record_id = str(UUID(int=self._next))
        self.records[slug][record_id] = {"created": self.clock.now(), "values": {}}
        self.change(slug, record_id, **given)
        return record_id

    def change(self, slug: str, record_id: str, **given: Any) -> None:
        """Change values of a record."""
        values = self.records[slug][record_id]["values"]
        for name, value in given.items():
            attribute = "associated_company" if (slug, name) == ("deals", "company") else name
            values[attribute] = [] if value is None else self._value(name, value)
            if name in _STATUSES and isinstance(value, str):
                self.titles.setdefault((slug, name), {})[value] = True

    def put(self, slug: str, record_id: str, attribute: str, values: Any) -> None:
        """Have an attribute hold whatever it may be, where it should be a list of values."""
        self.records[slug][record_id]["values"][attribute] = values

    def merge(self, slug: str, primary: str, other: str) -> str:
        """Merge two records, and return the id of the new record. The two cannot be read any more."""
        values = [self.records[slug][one]["values"] for one in (other, primary)]
        merged = self.add(slug)
        both = {"domains": [domain for given in values[::-1] for domain in given.get("domains", [])]}
        self.records[slug][merged]["values"] = values[0] | values[1] | (both if slug == "companies" else {})
        for records in self.records.values():
            for record in records.values():
                for given in record["values"].values():
                    for value in given if isinstance(given, list) else ():
                        if isinstance(value, dict) and value.get("target_record_id") in (primary, other):
                            value["target_record_id"] = merged
        for one in (primary, other):
            self.delete(slug, one)
        return merged

    def merge_events(self, slug: str, primary: str, other: str, new: str) -> list[dict[str, Any]]:
        """The two events of a merge."""
        return [
            {
                **self.event(slug, new, "record.merged"),
                "duplicate_object_id": self.object_id(slug),
                "duplicate_record_id": one,
            }
            for one in (primary, other)
        ]

    def delete(self, slug: str, record_id: str) -> None:
        """Delete a record."""
        del self.records[slug][record_id]

    def webhook(self, *events: dict[str, Any], repeat: str = "1") -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed webhook."""
        body = json.dumps({"webhook_id": "w", "events": list(events)}).encode()
        return self.signed(body, repeat=repeat), body

    def signed(self, body: bytes, *, repeat: str = "1") -> dict[str, str]:
        """Headers of a webhook with this body."""
        signature = hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
        return {"attio-signature": signature, "idempotency-key": repeat}

    def event(self, slug: str, record_id: str, what: str = "record.updated", attribute: str = "") -> dict[str, Any]:
        """An event of a webhook."""
        ids = {"workspace_id": "w", "object_id": self.object_id(slug), "record_id": record_id}
        if attribute:
            ids["attribute_id"] = self.attributes.get(attribute, attribute)
        return {"event_type": what, "id": ids, "actor": {"type": "workspace-member", "id": "m"}}

    def answer(self, call: Call) -> Reply:  # noqa: PLR0911  (a line a route)
        """Answer a call as Attio's REST API v2 documents it."""
        path = call.path.strip("/").split("/")
        reading = call.method == "GET" or path[-1] == "query"
        now = self.clock.now()
        if not (self.reads if reading else self.writes).takes(now):
            reset = now.replace(microsecond=0) + timedelta(seconds=1)
            headers = {"Retry-After": format_datetime(reset, usegmt=True)}
            return Reply(429, {"type": "rate_limit_error", "code": "rate_limit_exceeded"}, headers)
        match [call.method, *path[1:]]:
            case ["GET", "objects"]:
                data = [{"id": {"object_id": self.object_id(slug)}, "api_slug": slug} for slug in self.records]
                return Reply(200, {"data": data})
            case ["GET", "objects", "companies", "attributes"]:
                data = [{"id": {"attribute_id": key}, "api_slug": slug} for slug, key in self.attributes.items()]
                return Reply(200, {"data": data})
            case ["POST", "objects", "companies", "attributes"]:
                slug = call.body["data"]["api_slug"]
                self.attributes[slug] = f"attribute-{len(self.attributes)}"
                return Reply(200, {"data": call.body["data"]})
            case [_, "objects", slug, *_] if slug not in self.records:
                return Reply(404, {"code": "not_found"})
            case ["GET", "objects", slug, "attributes", attribute, "statuses"]:
                titles = self.titles.get((slug, attribute), {})
                return Reply(200, {"data": [{"title": one, "is_archived": not used} for one, used in titles.items()]})
            case ["POST", "objects", slug, "records", "query"]:
                return self._query(slug, call.body)
            case [method, "objects", slug, "records", record_id]:
                return self._one(method, slug, record_id, call.body)
        return Reply(404, {"code": "not_found"})

    def _query(self, slug: str, body: dict[str, Any]) -> Reply:
        if body["limit"] > _PAGE:
            return Reply(400, {"code": "validation_type"})
        found = sorted(self.records[slug], key=lambda record_id: (self.records[slug][record_id]["created"], record_id))
        for name, wanted in (body.get("filter") or {}).items():
            if (slug, name) in self.removed:
                return Reply(400, {"code": "unknown_filter_attribute_slug"})
            found = [record_id for record_id in found if self._refers(slug, record_id, name, wanted)]
        page = found[body["offset"] : body["offset"] + body["limit"]]
        return Reply(200, {"data": [self._shown(slug, record_id) for record_id in page]})

    def _refers(self, slug: str, record_id: str, name: str, wanted: dict[str, str]) -> bool:
        values = self.records[slug][record_id]["values"].get(name, ())
        given = [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
        return any(value.get("target_record_id") == wanted["target_record_id"] for value in given)

    def _one(self, method: str, slug: str, record_id: str, body: Any) -> Reply:
        if record_id in self.merging:
            return Reply(404, {"code": "merge_in_progress"})
        if record_id not in self.records[slug]:
            return Reply(404, {"code": "not_found"})
        if method == "PATCH":
            if record_id in self.refused:
                return Reply(400, {"code": "validation_type"})
            self.change(slug, record_id, **body["data"]["values"])
        return Reply(200, {"data": self._shown(slug, record_id)})

    def _shown(self, slug: str, record_id: str) -> Any:
        if (slug, record_id) in self.raw:
            return self.raw[slug, record_id]
        kept = self.records[slug][record_id]
        # A record has every attribute of its object; the empty ones are empty lists.
        names = {*_ATTRIBUTES.get(slug, ()), *(name for one in self.records[slug].values() for name in one["values"])}
        values = {name: kept["values"].get(name, []) for name in names if (slug, name) not in self.removed}
        return {"id": {"record_id": record_id}, "created_at": self._time(kept["created"]), "values": values}

    def _value(self, name: str, value: Any) -> list[dict[str, Any]]:
        since = {"active_from": self._time(self.clock.now()), "active_until": None}
        if name == "domains":
            return [{**since, "domain": domain} for domain in value]
        if name == "company":
            return [{**since, "target_object": "companies", "target_record_id": value}]
        if isinstance(value, datetime):
            return [{**since, "interaction_type": "email", "interacted_at": self._time(value)}]
        if name in _STATUSES:
            return [{**since, "status": {"title": value}}]
        if name in _SELECTS:
            return [{**since, "option": {"title": value}}]
        return [{**since, "value": value}]

    @staticmethod
    def _time(at: datetime) -> str:
        return at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
