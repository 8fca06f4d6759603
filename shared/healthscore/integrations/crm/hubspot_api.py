"""The calls of HubSpot's dated API that the connector makes, with their sizes and limits."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.core.time import millis
from healthscore.integrations.crm.client import Client, Limit
from healthscore.integrations.crm.protocol import AccessError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from healthscore.integrations.crm.client import Clock
    from healthscore.integrations.crm.protocol import CompanyScore

URL = "https://api.hubapi.com"
VERSION = "2026-09"
ASSOCIATED = 1000
"""Records whose associations are read in one call."""
SEARCHED = 200
"""Hits of one search."""
SCORE, BAND, REASON = WRITTEN_PROPERTIES = "healthscore_score", "healthscore_band", "healthscore_reason"
"""The company properties that scores are written to."""

_LISTED, _READ, _WRITTEN = 100, 100, 100
_SEARCHES_A_SECOND = 4
"""HubSpot allows five, for all integrations of an account together."""
_PROPERTIES = (
    {"name": SCORE, "label": "Health score", "type": "number", "fieldType": "number"},
    {"name": BAND, "label": "Health band", "type": "string", "fieldType": "text"},
    {"name": REASON, "label": "Health reason", "type": "string", "fieldType": "textarea"},
)

Properties = dict[str, Any]
"""A record's properties: strings, or None."""


class Api:
    """HubSpot's API with one token."""

    def __init__(self, token: str, url: str, calls_per_10_seconds: int, clock: Clock | None) -> None:
        self._client = Client(url, token, clock)
        self.clock = self._client.clock
        self._burst = Limit(calls_per_10_seconds, 10.0)
        self._searches = Limit(_SEARCHES_A_SECOND, 1.0)

    def companies(self, properties: Sequence[str], after: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
        """A page of all companies, and the `after` of the next page; None after the last page."""
        query = {"limit": str(_LISTED), "properties": ",".join(properties)}
        if after is not None:
            query["after"] = after
        answer = self._call("GET", f"/crm/objects/{VERSION}/companies", query=query)
        return answer["results"], answer.get("paging", {}).get("next", {}).get("after")

    def modified(self, kind: str, since: datetime, above: str) -> list[str]:
        """Ids of records modified since an instant: the lowest ids above `above`, at most `SEARCHED`."""
        filters = [
            {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(millis(since))},
            {"propertyName": "hs_object_id", "operator": "GT", "value": above},
        ]
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": ["hs_object_id"],
            "limit": SEARCHED,
        }
        path = f"/crm/objects/{VERSION}/{kind}/search"
        answer = self._client.call("POST", path, body, limits=[self._burst, self._searches])
        return [result["id"] for result in answer.body["results"]]

    def associated(self, kind: str, to: str, ids: Sequence[str]) -> tuple[dict[str, list[str]], set[str]]:
        """Ids of associated records by id, and the ids whose associations HubSpot could not read."""
        found: dict[str, list[str]] = {}
        failed: set[str] = set()
        inputs = [{"id": record_id} for record_id in ids]
        while inputs:
            batch, inputs = inputs[:ASSOCIATED], inputs[ASSOCIATED:]
            path = f"/crm/associations/{VERSION}/{kind}/{to}/batch/read"
            answer = self._call("POST", path, {"inputs": batch})
            for result in answer["results"]:
                record_id = str(result["from"]["id"])
                found.setdefault(record_id, []).extend(str(other["toObjectId"]) for other in result["to"])
                after = result.get("paging", {}).get("next", {}).get("after")
                if after:
                    inputs.append({"id": record_id, "after": after})
            for error in answer.get("errors", ()):
                # A record without associations is reported as an error as well.
                if not str(error.get("subCategory", "")).endswith("NO_ASSOCIATIONS_FOUND"):
                    failed.update(error.get("context", {}).get("fromObjectId", ()))
        return found, failed

    def read(self, kind: str, ids: Sequence[str], properties: Sequence[str]) -> dict[str, Properties]:
        """Properties of records by id; archived records are left out."""
        found = {}
        for start in range(0, len(ids), _READ):
            inputs = [{"id": record_id} for record_id in ids[start : start + _READ]]
            body = {"properties": list(properties), "inputs": inputs}
            answer = self._call("POST", f"/crm/objects/{VERSION}/{kind}/batch/read", body)
            found.update({result["id"]: result["properties"] for result in answer["results"]})
        return found

    def stages(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Metadata of the stages of a kind's pipelines, by the stage's id."""
        pipelines = self._call("GET", f"/crm/pipelines/{VERSION}/{kind}")["results"]
        return {stage["id"]: stage.get("metadata") or {} for pipeline in pipelines for stage in pipeline["stages"]}

    def write(self, scores: Sequence[CompanyScore]) -> set[str]:
        """Write scores to companies, and return the ids of those that were written."""
        written: set[str] = set()
        waiting = [scores[start : start + _WRITTEN] for start in range(0, len(scores), _WRITTEN)]
        while waiting:
            batch = waiting.pop()
            inputs = [{"id": score.company_id, "properties": _written(score)} for score in batch]
            path = f"/crm/objects/{VERSION}/companies/batch/update"
            refused = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
            answer = self._client.call("POST", path, {"inputs": inputs}, limits=[self._burst], accept=refused)
            if answer.status not in refused:
                written.update(result["id"] for result in answer.body["results"])
            elif len(batch) > 1:
                # One record can spoil its batch: halves find it.
                middle = len(batch) // 2
                waiting += [batch[:middle], batch[middle:]]
        return written

    def create_properties(self, account_property: str) -> list[str]:
        """Create the company properties that are missing, and return their names."""
        created = []
        by_hand = {"name": account_property, "label": "Healthscore account id", "type": "string", "fieldType": "text"}
        for given in (*_PROPERTIES, by_hand):
            path = f"/crm/properties/{VERSION}/companies"
            body = {"groupName": "companyinformation", **given}
            answer = self._client.call("POST", path, body, limits=[self._burst], accept=[HTTPStatus.CONFLICT])
            if answer.status != HTTPStatus.CONFLICT:
                created.append(given["name"])
        return created

    def _call(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  (JSON)
        return self._client.call(method, path, body, limits=[self._burst], query=query).body


def readable(api_call: Any, *arguments: Any) -> Any:  # noqa: ANN401  (any call and its answer)
    """The result of a call, or None where the token lacks the permission for it."""
    try:
        return api_call(*arguments)
    except AccessError:
        return None


def _written(score: CompanyScore) -> dict[str, str]:
    return {SCORE: str(score.score), BAND: score.band, REASON: score.reason}
