"""The embedded DynamoDB does what moto does and what DynamoDB Local does, at a cost of what a call touches."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Self
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from tools.local import aws, dynamodb
from tools.local.dynamodb import EmbeddedDynamoDB

WIDE = "wide"
"""Has a sort key and an index; the other table has neither."""
PLAIN = "plain"
DEFINITIONS: dict[str, dict[str, Any]] = {
    WIDE: {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "of")],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-of",
                "KeySchema": [{"AttributeName": "of", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        "BillingMode": "PAY_PER_REQUEST",
    },
    PLAIN: {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    },
}
TEXTS = st.sampled_from(["a", "b", "c"])
KEYS = st.one_of(
    st.builds(lambda pk, sk: (WIDE, {"pk": {"S": pk}, "sk": {"S": sk}}), TEXTS, TEXTS),
    st.builds(lambda id_: (PLAIN, {"id": {"S": id_}}), TEXTS),
)
VALUES = st.one_of(
    st.integers(-9, 9).map(lambda number: {"N": str(number)}),
    st.binary(min_size=1, max_size=4).map(lambda data: {"B": data}),
    st.lists(TEXTS, max_size=2).map(lambda texts: {"L": [{"S": text} for text in texts]}),
    TEXTS.map(lambda text: {"M": {"B": {"S": text}}}),
    st.booleans().map(lambda value: {"BOOL": value}),
)
CONDITIONS = st.sampled_from(["attribute_exists(#v)", "attribute_not_exists(#v)", None])
UPDATES = st.sampled_from(["SET #v = :v", "SET #v = if_not_exists(#v, :v)", "REMOVE #v"])


def _write(kind: str, key: tuple[str, dict[str, Any]], value: Any, condition: str | None, update: str) -> Any:
    """Part of a transaction."""
    table, attributes = key
    write: dict[str, Any] = {"TableName": table}
    if kind == "Put":
        of = {"of": {"S": "b"}} if value.get("BOOL") else {}
        write["Item"] = {**attributes, "v": value, **of}
    else:
        write["Key"] = attributes
    if kind == "Update":
        write["UpdateExpression"] = update
        if ":v" in update:
            write["ExpressionAttributeValues"] = {":v": value}
    if kind == "ConditionCheck":
        condition = condition or "attribute_exists(#v)"
    if condition:
        write["ConditionExpression"] = condition
    if "#v" in json.dumps(write, default=str):
        write["ExpressionAttributeNames"] = {"#v": "v"}
    return {kind: write}


def _key_of(write: Any) -> Any:
    (operation,) = write.values()
    named = operation.get("Item", operation.get("Key"))
    return [operation["TableName"], *(named.get(name) for name in ("pk", "sk", "id"))]


KINDS = st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"])
WRITES = st.builds(_write, KINDS, KEYS, VALUES, CONDITIONS, UPDATES)
TRANSACTIONS = st.lists(
    st.lists(WRITES, min_size=1, max_size=4, unique_by=lambda write: str(_key_of(write))), max_size=12
)
"""An item twice in one transaction is refused by all engines, each in its own words."""
ONE_EXAMPLE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


class Engine:
    """The two tables, at an endpoint."""

    def __init__(self, endpoint: str) -> None:
        self._client = boto3.client("dynamodb", endpoint_url=endpoint)
        self._world = uuid4().hex[:8]

    def __enter__(self) -> Self:
        for name, definition in DEFINITIONS.items():
            self._client.create_table(TableName=f"{self._world}-{name}", **definition)
        return self

    def __exit__(self, *_: object) -> None:
        for name in DEFINITIONS:
            self._client.delete_table(TableName=f"{self._world}-{name}")
        self._client.close()

    def empty(self) -> None:
        for (name, definition), items in zip(DEFINITIONS.items(), self.everything(), strict=True):
            keys = [attribute["AttributeName"] for attribute in definition["KeySchema"]]
            for item in items:
                self.outcome("delete_item", TableName=name, Key={key: item[key] for key in keys})

    def outcome(self, operation: str, **parameters: Any) -> Any:
        """What a call answers, or why it is refused."""
        sent = json.loads(json.dumps(parameters, default=lambda data: {"bytes": data.hex()}), object_hook=self._named)
        try:
            answer = getattr(self._client, operation)(**sent)
        except ClientError as error:
            reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            return error.response["Error"]["Code"], reasons
        # Moto reports no units; and it says that there is nothing more where DynamoDB has not looked yet.
        for name in ("ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics", "LastEvaluatedKey"):
            answer.pop(name, None)
        return json.loads(json.dumps(answer, default=bytes.hex).replace(self._world, "world"))

    def _named(self, found: dict[str, Any]) -> Any:
        if "bytes" in found:
            return bytes.fromhex(found["bytes"])
        if "TableName" in found:
            found["TableName"] = f"{self._world}-{found['TableName']}"
        return found

    def everything(self) -> list[Any]:
        return [
            sorted(self.outcome("scan", TableName=name, ConsistentRead=True)["Items"], key=_in_order)
            for name in DEFINITIONS
        ]


def _in_order(item: Any) -> str:
    return json.dumps(item, sort_keys=True)


def _queries() -> list[dict[str, Any]]:
    """Queries of each shape that the product makes."""
    of_a = {"TableName": WIDE, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}
    between = {**of_a, "KeyConditionExpression": "pk = :pk AND sk BETWEEN :b AND :c"}
    between["ExpressionAttributeValues"] = {":pk": {"S": "a"}, ":b": {"S": "b"}, ":c": {"S": "c"}}
    begins = {**of_a, "KeyConditionExpression": "pk = :pk AND begins_with(sk, :b)"}
    begins["ExpressionAttributeValues"] = {":pk": {"S": "a"}, ":b": {"S": "b"}}
    indexed = {"TableName": WIDE, "IndexName": "by-of", "KeyConditionExpression": "#of = :b"}
    indexed |= {"ExpressionAttributeNames": {"#of": "of"}, "ExpressionAttributeValues": {":b": {"S": "b"}}}
    filtered = {**of_a, "FilterExpression": "attribute_exists(#v)", "ExpressionAttributeNames": {"#v": "v"}}
    projected = {**of_a, "ProjectionExpression": "sk, #v", "ExpressionAttributeNames": {"#v": "v"}}
    plain = {"TableName": PLAIN, "KeyConditionExpression": "id = :b", "ExpressionAttributeValues": {":b": {"S": "b"}}}
    nobody = {**of_a, "ExpressionAttributeValues": {":pk": {"S": "nobody"}}}
    backwards = {**of_a, "ScanIndexForward": False, "Limit": 2}
    after = {**of_a, "ExclusiveStartKey": {"pk": {"S": "a"}, "sk": {"S": "a"}}}
    counted = {**of_a, "Select": "COUNT"}
    return [of_a, between, begins, filtered, projected, plain, nobody, backwards, after, counted, indexed]


def _same_on(one: Engine, other: Engine, transactions: list[list[Any]]) -> None:
    for writes in transactions:
        assert one.outcome("transact_write_items", TransactItems=writes) == other.outcome(
            "transact_write_items", TransactItems=writes
        ), writes
    assert one.everything() == other.everything()
    for query in _queries():
        here, there = one.outcome("query", **query), other.outcome("query", **query)
        assert here == there, query


@pytest.fixture(scope="module")
def engines(moto_endpoint, dynamodb_local_endpoint):
    with Engine(moto_endpoint) as ours, Engine(dynamodb_local_endpoint) as theirs:
        yield ours, theirs


@pytest.mark.dynamodb_local
@settings(ONE_EXAMPLE, max_examples=40)
@given(transactions=TRANSACTIONS)
def test_calls__of_any_kind__end_as_on_dynamodb_local(engines, transactions):
    for engine in engines:
        engine.empty()
    _same_on(*engines, transactions)


@settings(ONE_EXAMPLE, max_examples=150)
@given(transactions=TRANSACTIONS)
def test_transactions__of_any_kind__end_as_on_motos_own_backend(transactions):
    ours, theirs = (kind("us-east-1", "123456789012") for kind in (EmbeddedDynamoDB, DynamoDBBackend))
    for backend in (ours, theirs):
        _make_tables(backend)
    for writes in transactions:
        assert _ended(ours, writes) == _ended(theirs, writes), writes
    assert _contents(ours) == _contents(theirs)


def _make_tables(backend: DynamoDBBackend) -> None:
    for name, given_ in DEFINITIONS.items():
        backend.create_table(
            name,
            schema=given_["KeySchema"],
            throughput=None,
            attr=given_["AttributeDefinitions"],
            global_indexes=given_.get("GlobalSecondaryIndexes"),
            indexes=None,
            streams=None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=False,
            warm_throughput=None,
        )


def _ended(backend: DynamoDBBackend, writes: list[Any]) -> str:
    try:
        backend.transact_write_items(writes)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is to be the same)
        return f"{type(error).__name__} {error.description}"
    return "done"


def _contents(backend: DynamoDBBackend) -> list[Any]:
    return [[item.to_json() for item in backend.tables[name].all_items()] for name in DEFINITIONS]


@pytest.mark.parametrize(
    "writes",
    [
        [{"Put": {"TableName": "nowhere", "Item": {"id": {"S": "a"}}}}],
        [{"Put": {"TableName": PLAIN, "Item": {"v": {"S": "a"}}}}],
        [{"Put": {"TableName": PLAIN, "Item": {"id": {"N": "1"}}}}],
        [{"Delete": {"TableName": WIDE, "Key": {"pk": {"S": "a"}}}}],
        [{"Delete": {"TableName": PLAIN, "Key": {"id": {"S": "a"}}}}] * 2,
        [{"Put": {"TableName": PLAIN, "Item": {"id": {"S": str(n)}}}} for n in range(101)],
    ],
    ids=["no table", "no key", "another type of key", "half a key", "one item twice", "101 writes"],
)
def test_transaction__that_cannot_be__is_refused_as_by_motos_own_backend(writes):
    ours, theirs = (kind("us-east-1", "123456789012") for kind in (EmbeddedDynamoDB, DynamoDBBackend))
    for backend in (ours, theirs):
        _make_tables(backend)
    ended = _ended(ours, writes)
    assert ended != "done"
    assert ended == _ended(theirs, writes)
    assert _contents(ours) == [[], []]


@contextlib.contextmanager
def _work(*counted: tuple[type, str]):
    """Count how often these methods are called."""
    counts = dict.fromkeys((name for _, name in counted), 0)
    with pytest.MonkeyPatch.context() as patch:
        for kind, name in counted:
            patch.setattr(kind, name, _counting(getattr(kind, name), name, counts))
        yield counts


def _counting(call, name, counts):
    def count(*arguments, **named):
        counts[name] += 1
        return call(*arguments, **named)

    return count


@pytest.mark.parametrize("call", ["transact_write_items", "query"])
def test_call__in_a_table_that_holds_more__does_no_more_work(call, moto_endpoint):
    put = {"Put": {"TableName": WIDE, "Item": {"pk": {"S": "a"}, "sk": {"S": "a"}, "v": {"N": "1"}}}}
    parameters = {"transact_write_items": {"TransactItems": [put]}, "query": _queries()[0]}[call]
    work = []
    with Engine(moto_endpoint) as engine:
        engine.outcome("transact_write_items", TransactItems=[put])
        for stored in (1, 400):
            for number in range(stored):
                item = {"pk": {"S": f"other {number}"}, "sk": {"S": "a"}}
                engine.outcome("put_item", TableName=WIDE, Item=item)
            with _work((Item, "__deepcopy__"), (Item, "size"), (Table, "get_item")) as counts:
                engine.outcome(call, **parameters)
            work.append(counts)
    assert work[0] == work[1]
    assert sum(work[0].values()) > 0


def test_item__that_is_gone__is_kept_by_nobody(moto_endpoint):
    assert moto_endpoint
    assert len(Item.instances_tracked) == 0
    Item(None, None, {})
    assert len(Item.instances_tracked) == 0


def test_call__of_this_process__goes_over_no_port(moto_endpoint, monkeypatch):
    def sent(*_: object, **__: object) -> None:
        raise AssertionError("it went over the port")

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", sent)
    with Engine(moto_endpoint) as engine:
        assert engine.everything() == [[], []]
        condition = {
            "Put": {"TableName": PLAIN, "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_exists(id)"}
        }
        lost = engine.outcome("transact_write_items", TransactItems=[condition])
        assert lost == ("TransactionCanceledException", ["ConditionalCheckFailed"])


def test_call__of_a_client_that_signs_for_another_region__finds_the_tables_of_that_region(moto_endpoint):
    client = boto3.client("dynamodb", endpoint_url=moto_endpoint, region_name="ap-south-1")
    client.create_table(TableName="elsewhere", **DEFINITIONS[PLAIN])
    assert "elsewhere" in client.list_tables()["TableNames"]
    here = boto3.client("dynamodb", endpoint_url=moto_endpoint)
    assert "elsewhere" not in here.list_tables()["TableNames"]
    client.delete_table(TableName="elsewhere")


def test_install__again__keeps_what_is_stored(moto_endpoint):
    with Engine(moto_endpoint) as engine:
        engine.outcome("put_item", TableName=PLAIN, Item={"id": {"S": "a"}})
        dynamodb.install()
        with aws.running():
            assert engine.everything()[1] == [{"id": {"S": "a"}}]
