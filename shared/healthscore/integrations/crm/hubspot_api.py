"""The calls of HubSpot's dated API that the connector makes, with their sizes and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.core.time import millis
from healthscore.integrations.crm.client import BROKEN, REFUSED, Client, Limit
from healthscore.integrations.crm.halving import in_halves
from healthscore.integrations.crm.protocol import AccessError, CrmError
from healthscore.integrations.crm.reading import at, record_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from healthscore.integrations.crm.client import Answer, Clock
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


class Api:
    """HubSpot's API with one token."""

    def __init__(self, token: str, url: str, calls_per_10_seconds: int, clock: Clock | None) -> None:
        self._client = Client(url, token, clock)
        self.clock = self._client.clock
        self._burst = Limit(calls_per_10_seconds, 10.0)
        self._searches = Limit(_SEARCHES_A_SECOND, 1.0)

    def listed(self, kind: str, properties: Sequence[str], after: str | None, *, archived: bool = False) -> Listed:
        """A page of all records of a kind, or of all that were deleted in the last 90 days."""
        query = {"limit": str(_LISTED), "properties": ",".join(properties)}
        if archived:
            query["archived"] = "true"
        if after is not None:
            query["after"] = after
        answer = self._call("GET", f"/crm/objects/{VERSION}/{kind}", query=query)
        results = _results(answer)
        found = [result for result in results if (at(result, "archived") is True) == archived]
        return Listed(
            [(record_id(at(result, "id")), at(result, "properties"), at(result, "archivedAt")) for result in found],
            record_id(at(answer, "paging", "next", "after")),
        )

    def modified(self, kind: str, since: datetime, above: str) -> tuple[list[str], str | None]:
        """Ids of records modified since an instant: the lowest ids above `above`; and the `above` to go on with.

        The second is None where these are the last.
        """
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
        results = _results(self._client.call("POST", path, body, limits=[self._burst, self._searches]).body)
        ids = by_id(found for result in results if (found := record_id(at(result, "id"))))
        if len(results) < SEARCHED:
            return ids, None
        if not ids:
            raise CrmError("The CRM's search gives records without ids.")
        return ids, ids[-1]

    def associated(self, kind: str, to: str, ids: Sequence[str]) -> Associations:
        """The records that records are associated with."""
        found = Associations()
        inputs: list[dict[str, str]] = [{"id": one} for one in ids]
        while inputs:
            path, asked = f"/crm/associations/{VERSION}/{kind}/{to}/batch/read", inputs
            inputs = []
            for batch, answer in self._in_batches(path, {}, asked, ASSOCIATED):
                inputs += found.add(answer, [given["id"] for given in batch])
        return found

    def read(self, kind: str, ids: Sequence[str], properties: Sequence[str]) -> Read:
        """Properties of records by id, and which of the records are not there any more."""
        found: dict[str, Any] = {}
        gone: set[str] = set()
        path = f"/crm/objects/{VERSION}/{kind}/batch/read"
        for batch, answer in self._in_batches(
            path, {"properties": list(properties)}, [{"id": one} for one in ids], _READ
        ):
            asked = {given["id"] for given in batch}
            results = [] if answer is None else _results(answer)
            there = {
                known: at(result, "properties")
                for result in results
                if (known := record_id(at(result, "id"))) and at(result, "archived") is not True
            }
            archived = {record_id(at(result, "id")) for result in results if at(result, "archived") is True}
            # The id of a merged record gives the record that it was merged into, under that one's id.
            silent = asked - there.keys() - archived
            readable = answer is not None and all(record_id(at(result, "id")) for result in results)
            named = {one for error in _list(at(answer, "errors")) for one in _ids(at(error, "context", "ids"))}
            lost = silent if readable else silent & named
            found |= there | dict.fromkeys(silent - lost)
            gone |= lost | (asked & archived)
        return Read(found, gone)

    def stages(self, kind: str) -> dict[str, Any]:
        """Metadata of the stages of a kind's pipelines, by the stage's id."""
        pipelines = _results(self._call("GET", f"/crm/pipelines/{VERSION}/{kind}"))
        stages = [stage for pipeline in pipelines for stage in _list(at(pipeline, "stages"))]
        return {found: at(stage, "metadata") for stage in stages if (found := record_id(at(stage, "id")))}

    def write(self, scores: Sequence[CompanyScore]) -> set[str]:
        """Write scores to companies, and return the ids of those that were written."""
        inputs = [{"id": score.company_id, "properties": _written(score)} for score in scores]
        path = f"/crm/objects/{VERSION}/companies/batch/update"
        answers = [answer for _, answer in self._in_batches(path, {}, inputs, _WRITTEN, REFUSED) if answer is not None]
        return {found for answer in answers for result in _results(answer) if (found := record_id(at(result, "id")))}

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

    def _in_batches(
        self,
        path: str,
        more: Mapping[str, object],
        inputs: Sequence[dict[str, Any]],
        size: int,
        refused: Collection[int] = (HTTPStatus.BAD_REQUEST,),
    ) -> Iterator[tuple[Sequence[dict[str, Any]], Any]]:
        """The answers to a call for many records, with the records; as of `in_halves`, and raises as that does."""
        accept = {*refused, *BROKEN}

        def ask(batch: Sequence[dict[str, Any]], tries: int) -> Answer:
            body = {**more, "inputs": batch}
            return self._client.call("POST", path, body, limits=[self._burst], accept=accept, tries=tries)

        batches = [inputs[start : start + size] for start in range(0, len(inputs), size)]
        return in_halves(batches, ask, refused=refused, works=self._works)

    def _works(self) -> None:
        self._call("GET", f"/crm/objects/{VERSION}/companies", query={"limit": "1"})

    def _call(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  (JSON)
        return self._client.call(method, path, body, limits=[self._burst], query=query).body


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of records."""

    records: list[tuple[str | None, Any, Any]]
    """Id, properties, and when the record was deleted. The id is None where it cannot be read."""
    after: str | None
    """Of the next page; None after the last page."""


@dataclass(frozen=True, slots=True)
class Read:
    """Records that were read by their ids."""

    found: dict[str, Any]
    """Properties by id; None of a record that cannot be read."""
    gone: set[str]
    """Ids of records that were deleted, or merged into another one."""


@dataclass(frozen=True, slots=True)
class Associations:
    """The records that records are associated with."""

    found: dict[str, list[str]] = field(default_factory=dict)
    """Ids by id."""
    failed: set[str] = field(default_factory=set)
    """Records whose associations HubSpot could not read, or whose answer cannot be read."""
    malformed: set[str] = field(default_factory=set)
    """Records that have, besides those in `found`, an association that cannot be read."""

    def add(self, answer: object, asked: Sequence[str]) -> list[dict[str, str]]:
        """Add the answer to a call, and return what is to be asked for next."""
        if answer is None:
            self.failed.update(asked)
            return []
        more = []
        answered, is_readable = set[str](), True
        for result in _results(answer):
            owner = record_id(at(result, "from", "id"))
            if owner is None:
                is_readable = False
                continue
            answered.add(owner)
            given = at(result, "to")
            ids = [record_id(at(other, "toObjectId")) for other in _list(given)]
            self.found.setdefault(owner, []).extend(one for one in ids if one is not None and one.isdecimal())
            if not isinstance(given, list) or any(one is None or not one.isdecimal() for one in ids):
                self.malformed.add(owner)
            after = record_id(at(result, "paging", "next", "after"))
            if after:
                more.append({"id": owner, "after": after})
        for error in _list(at(answer, "errors")):
            named = _ids(at(error, "context", "fromObjectId"))
            # A record without associations is reported as an error as well.
            if str(at(error, "subCategory")).endswith("NO_ASSOCIATIONS_FOUND"):
                answered.update(named)
            else:
                self.failed.update(named)
        if not is_readable:
            self.failed.update(set(asked) - answered)
        return more


def by_id(ids: Iterable[str]) -> list[str]:
    """Ids in ascending order, each once; those that are no numbers are none of HubSpot's."""
    return sorted({one for one in ids if one.isdecimal()}, key=int)


def readable(api_call: Any, *arguments: Any) -> Any:  # noqa: ANN401  (any call and its answer)
    """The result of a call, or None where the token lacks the permission for it."""
    try:
        return api_call(*arguments)
    except AccessError:
        return None


def _results(answer: object) -> list[Any]:
    results = at(answer, "results")
    if not isinstance(results, list):
        raise CrmError("The CRM's answer is not what its documentation says: it has no list of results.")
    return results


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []


def _ids(given: object) -> list[str]:
    return [found for one in _list(given) if (found := record_id(one))]


def _written(score: CompanyScore) -> dict[str, str]:
    return {SCORE: str(score.score), BAND: score.band, REASON: score.reason}
