"""A HubSpot account: objects, associations, pipelines, search with its lag and cap, limits, webhooks."""

from __future__ import annotations

import base64
import bisect
import copy
import hashlib
import hmac
import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from healthscore.core.time import format_instant, millis
from tools.fakes.server import Call, FakeService, Reply, VirtualClock, Window

SECRET = "fake-webhook-secret"
CAP = 10_000
"""Hits after which a search ends."""
_LISTED, _SEARCHED, _READ, _ASSOCIATED, _UPDATED = 100, 200, 100, 1000, 100
"""The most records that a call of each kind takes or gives."""
PIPELINES = {
    "tickets": {"1": {"ticketState": "OPEN"}, "2": {"ticketState": "OPEN"}, "4": {"ticketState": "CLOSED"}},
    "deals": {
        "appointmentscheduled": {"isClosed": "false", "probability": "0.2"},
        "closedwon": {"isClosed": "true", "probability": "1.0"},
        "closedlost": {"isClosed": "true", "probability": "0.0"},
    },
}
_TYPE_IDS = {"companies": "0-2", "deals": "0-3", "tickets": "0-5", "meetings": "0-47", "emails": "0-49"}


class FakeHubSpot(FakeService):
    """One account."""

    def __init__(self, clock: VirtualClock | None = None, *, burst: int = 100, address: str = "127.0.0.1") -> None:
        super().__init__(clock, address=address)
        self.objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _TYPE_IDS}
        self.lag = timedelta(0)
        """How much later than the objects the search has a change."""
        self.forbidden: set[str] = set()
        """Kinds that the token may not read."""
        self.refused: set[str] = set()
        """Companies that cannot be updated, and spoil a batch that they are in."""
        self.failing: set[str] = set()
        """Records whose associations cannot be read."""
        self.page_of_associations = 500
        self.pipelines: dict[str, dict[str, Any]] = copy.deepcopy(PIPELINES)
        """The metadata of stages by kind and stage."""
        self.removed: set[tuple[str, str]] = set()
        """Kind and name of properties that were deleted, or that the token may not read."""
        self.spoiling: set[str] = set()
        """Records for which a whole batch is refused."""
        self.raw: dict[tuple[str, str], Any] = {}
        """What is answered in the place of a record, by kind and id."""
        self.raw_links: dict[tuple[str, str, str], Any] = {}
        """What is answered in the place of a record's associations, by kind, id and the other kind."""
        self.archived: dict[str, dict[str, datetime]] = {kind: {} for kind in _TYPE_IDS}
        """Deleted records, and when that was."""
        self.properties: set[str] = set()
        self.burst, self.searches = Window(burst, 10), Window(5, 1)
        self.daily_left = 10**9
        self.read: Counter[str] = Counter()
        """Records handed out, by kind."""
        self._merged: dict[tuple[str, str], str] = {}
        self._links: dict[tuple[str, str], dict[str, list[tuple[str, datetime]]]] = defaultdict(dict)
        self._modified: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._listed: list[str] = []
        self._next = 1000

    def add(self, kind: str, company: str | None = None, *, associated_after: float = 0, **properties: Any) -> str:
        """Create a record, associated with a company at once or some seconds later, and return its id."""
        self._next += 1
        record_id = str(self._next)
        self.objects[kind][record_id] = {}
        if kind == "companies":
            self._listed.append(record_id)
        self.change(kind, record_id, **properties)
        if company is not None:
            self.associate(kind, record_id, company, after=associated_after)
        return record_id

    def change(self, kind: str, record_id: str, **properties: Any) -> None:
        """Change a record."""
        at = self.clock.now()
        stamped = {"hs_lastmodifieddate": format_instant(at), "hs_object_id": record_id}
        given = {
            name: format_instant(value) if isinstance(value, datetime) else value for name, value in properties.items()
        }
        self.objects[kind][record_id] |= stamped | given
        self._modified[kind].append((millis(at), record_id))

    def associate(self, kind: str, record_id: str, company: str, *, after: float = 0) -> None:
        """Associate a record with a company, which changes neither of the two records."""
        self._link(kind, record_id, "companies", company, after=after)

    def _link(self, kind: str, record_id: str, other_kind: str, other: str, *, after: float = 0) -> None:
        at = self.clock.now() + timedelta(seconds=after)
        self._links[kind, record_id].setdefault(other_kind, []).append((other, at))
        self._links[other_kind, other].setdefault(kind, []).append((record_id, at))

    def archive(self, kind: str, record_id: str) -> None:
        """Delete a record, as a user does: it is in no answer after that but in a list of what was deleted."""
        del self.objects[kind][record_id]
        self.archived[kind][record_id] = self.clock.now()
        if kind == "companies":
            self._listed.remove(record_id)

    def merge(self, kind: str, primary: str, other: str) -> str:
        """Merge two records, and return the id of the new record, to which both ids lead from now on."""
        properties = self.objects[kind][other] | self.objects[kind][primary]
        domains = [self.objects[kind][one].get("domain") for one in (primary, other)]
        if kind == "companies":
            properties["hs_additional_domains"] = ";".join(filter(None, domains))
        merged = self.add(kind, **{**properties, "hs_merged_object_ids": f"{primary};{other}"})
        for old in (primary, other):
            for other_kind in _TYPE_IDS:
                for linked, _ in self._links.get((kind, old), {}).get(other_kind, ()):
                    self._link(kind, merged, other_kind, linked)
            self.archive(kind, old)
            del self.archived[kind][old]
            self._merged[kind, old] = merged
        return merged

    def merge_event(
        self, kind: str, primary: str, other: str, new: str, *, what: str = "object.merge"
    ) -> dict[str, Any]:
        """An event of a webhook."""
        ids = {"primaryObjectId": int(primary), "mergedObjectIds": [int(other)], "newObjectId": int(new)}
        return {**self.event(kind, primary, what), **ids, "numberOfPropertiesMoved": 1}

    def webhook(self, *events: dict[str, Any], url: str, age: float = 0) -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed webhook."""
        body = json.dumps([{"eventId": 1, "portalId": 7, "attemptNumber": 0, **event} for event in events]).encode()
        return self.signed(body, url=url, age=age), body

    def signed(self, body: bytes, *, url: str, age: float = 0) -> dict[str, str]:
        """Headers of a webhook with this body."""
        stamp = str(millis(self.clock.now() - timedelta(seconds=age)))
        signed = b"POST" + url.encode() + body + stamp.encode()
        signature = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
        return {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp}

    def event(self, kind: str, record_id: str, what: str = "object.propertyChange", **more: Any) -> dict[str, Any]:
        """An event of a webhook."""
        return {"subscriptionType": what, "objectTypeId": _TYPE_IDS[kind], "objectId": int(record_id), **more}

    def answer(self, call: Call) -> Reply:  # noqa: C901, PLR0911  (a line a route)
        """Answer a call as HubSpot's dated API documents it."""
        now = self.clock.now()
        if self.daily_left <= 0:
            return Reply(429, {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY"})
        self.daily_left -= 1
        if not self.burst.takes(now):
            return Reply(429, {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"})
        match call.path.strip("/").split("/"):
            case ["crm", "objects", "2026-09", kind]:
                archived = call.query.get("archived") == "true"
                return self._allowed(kind) or (self._list_archived(kind, call) if archived else self._list(call))
            case ["crm", "objects", "2026-09", kind, "search"]:
                if not self.searches.takes(now):
                    return Reply(429, {"status": "error", "errorType": "RATE_LIMIT", "policyName": "SECONDLY"})
                return self._allowed(kind) or self._search(kind, call.body)
            case ["crm", "objects", "2026-09", kind, "batch", "read"]:
                return self._allowed(kind) or self._read(kind, call.body)
            case ["crm", "objects", "2026-09", "companies", "batch", "update"]:
                return self._update(call.body)
            case ["crm", "associations", "2026-09", kind, to, "batch", "read"]:
                return self._allowed(kind) or self._allowed(to) or self._associations(kind, to, call.body)
            case ["crm", "pipelines", "2026-09", kind]:
                stages = [{"id": name, "metadata": metadata} for name, metadata in self.pipelines[kind].items()]
                return self._allowed(kind) or Reply(200, {"results": [{"id": "0", "stages": stages}]})
            case ["crm", "properties", "2026-09", "companies"]:
                if call.body["name"] in self.properties:
                    return Reply(409, {"category": "OBJECT_ALREADY_EXISTS"})
                self.properties.add(call.body["name"])
                return Reply(201, call.body)
        return Reply(404, {"message": "no such path"})

    def _allowed(self, kind: str) -> Reply | None:
        return Reply(403, {"category": "MISSING_SCOPES"}) if kind in self.forbidden else None

    def _list(self, call: Call) -> Reply:
        limit = int(call.query.get("limit", 10))
        if limit > _LISTED:
            return Reply(400, {"message": "limit"})
        after = int(call.query.get("after", 0))
        start = bisect.bisect_right(self._listed, after, key=int)
        ids = self._listed[start : start + limit]
        names = call.query.get("properties", "").split(",")
        body: dict[str, Any] = {"results": [self._shown("companies", record_id, names) for record_id in ids]}
        if start + limit < len(self._listed):
            body["paging"] = {"next": {"after": ids[-1]}}
        return Reply(200, body)

    def _list_archived(self, kind: str, call: Call) -> Reply:
        after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", 10))
        ids = sorted((one for one in self.archived[kind] if int(one) > after), key=int)
        found = [
            {"id": one, "properties": {}, "archived": True, "archivedAt": format_instant(self.archived[kind][one])}
            for one in ids[:limit]
        ]
        body: dict[str, Any] = {"results": found}
        if limit < len(ids):
            body["paging"] = {"next": {"after": ids[limit - 1]}}
        return Reply(200, body)

    def _shown(self, kind: str, record_id: str, names: list[str]) -> Any:
        self.read[kind] += 1
        if (kind, record_id) in self.raw:
            return self.raw[kind, record_id]
        kept = self.objects[kind][record_id]
        properties = {name: kept.get(name) for name in names if (kind, name) not in self.removed}
        return {"id": record_id, "properties": properties, "archived": False}

    def _search(self, kind: str, body: dict[str, Any]) -> Reply:
        if body["limit"] > _SEARCHED or int(body.get("after", 0)) + body["limit"] > CAP:
            return Reply(400, {"message": "the search ends after 10,000"})
        wanted = {given["propertyName"]: int(given["value"]) for given in body["filterGroups"][0]["filters"]}
        learnt = millis(self.clock.now() - self.lag)
        changed = self._modified[kind]
        start = bisect.bisect_left(changed, (wanted["hs_lastmodifieddate"], ""))
        end = bisect.bisect_right(changed, (learnt, "~"))
        hits = {int(record_id) for _, record_id in changed[start:end] if record_id in self.objects[kind]}
        ids = sorted(number for number in hits if number > wanted["hs_object_id"])[: body["limit"]]
        found = [{"id": str(number), "properties": {"hs_object_id": str(number)}} for number in ids]
        return Reply(200, {"total": min(len(hits), CAP), "results": found})

    def _read(self, kind: str, body: dict[str, Any]) -> Reply:
        if len(body["inputs"]) > _READ:
            return Reply(400, {"message": "too many inputs"})
        ids = [given["id"] for given in body["inputs"]]
        if not self.spoiling.isdisjoint(ids):
            return Reply(400, {"category": "VALIDATION_ERROR"})
        # The id of a merged record leads to the record that it became.
        ids = list(dict.fromkeys(self._merged.get((kind, one), one) for one in ids))
        there = [record_id for record_id in ids if record_id in self.objects[kind]]
        results = [self._shown(kind, record_id, body["properties"]) for record_id in there]
        missing = [record_id for record_id in ids if record_id not in self.objects[kind]]
        if not missing:
            return Reply(200, {"status": "COMPLETE", "results": results})
        errors = [{"category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}]
        return Reply(207, {"status": "COMPLETE", "results": results, "numErrors": 1, "errors": errors})

    def _associations(self, kind: str, to: str, body: dict[str, Any]) -> Reply:
        if len(body["inputs"]) > _ASSOCIATED:
            return Reply(400, {"message": "too many inputs"})
        results, errors = [], []
        now = self.clock.now()
        if not self.spoiling.isdisjoint(given["id"] for given in body["inputs"]):
            return Reply(400, {"category": "VALIDATION_ERROR"})
        for given in body["inputs"]:
            record_id = given["id"]
            if record_id in self.failing:
                errors.append({"subCategory": "crm.associations.TIMEOUT", "context": {"fromObjectId": [record_id]}})
                continue
            if (kind, record_id, to) in self.raw_links:
                results.append(self.raw_links[kind, record_id, to])
                continue
            links = self._links.get((kind, record_id), {}).get(to, ())
            ids = [other for other, at in links if at <= now and other in self.objects[to]]
            if not ids or record_id not in self.objects[kind]:
                where = {"fromObjectId": [record_id]}
                errors.append({"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": where})
                continue
            start = int(given.get("after", 0))
            page = ids[start : start + self.page_of_associations]
            result: dict[str, Any] = {
                "from": {"id": record_id},
                "to": [{"toObjectId": int(other), "associationTypes": []} for other in page],
            }
            if start + len(page) < len(ids):
                result["paging"] = {"next": {"after": str(start + len(page))}}
            results.append(result)
        if errors:
            return Reply(207, {"status": "COMPLETE", "results": results, "numErrors": len(errors), "errors": errors})
        return Reply(200, {"status": "COMPLETE", "results": results})

    def _update(self, body: dict[str, Any]) -> Reply:
        inputs = body["inputs"]
        if len(inputs) > _UPDATED or any(given["id"] in self.refused for given in inputs):
            return Reply(400, {"category": "VALIDATION_ERROR"})
        written = [given for given in inputs if given["id"] in self.objects["companies"]]
        for given in written:
            self.change("companies", given["id"], **given["properties"])
        results = [{"id": given["id"], "properties": given["properties"]} for given in written]
        if len(written) == len(inputs):
            return Reply(200, {"status": "COMPLETE", "results": results})
        missing = [given["id"] for given in inputs if given not in written]
        errors = [{"category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}]
        return Reply(207, {"status": "COMPLETE", "results": results, "errors": errors})
