"""The client's answers are those of botocore's own parser."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from botocore.parsers import PROTOCOL_PARSERS, JSONParser
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from healthscore.storage.answers import AnswerParser
from healthscore.storage.client import dynamodb

_SHAPES = get_session().get_service_model("dynamodb")
_BYTES = st.binary(max_size=6).map(lambda data: b64encode(data).decode())
_FLAT = st.one_of(
    st.text(max_size=5).map(lambda text: {"S": text}),
    st.integers().map(lambda number: {"N": str(number)}),
    _BYTES.map(lambda data: {"B": data}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
    st.lists(st.text(max_size=3), min_size=1, max_size=3).map(lambda texts: {"SS": texts}),
    st.lists(_BYTES, min_size=1, max_size=3).map(lambda parts: {"BS": parts}),
)
_VALUES = st.recursive(
    _FLAT,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: {"L": items}),
        st.dictionaries(st.text(max_size=3), inner, max_size=3).map(lambda items: {"M": items}),
    ),
    max_leaves=6,
)
_ITEMS = st.dictionaries(st.text(min_size=1, max_size=4), _VALUES, max_size=5)


def _parsed(parser: JSONParser, operation: str, body: dict[str, Any], status: int = 200) -> Any:
    response = {"body": json.dumps(body).encode(), "headers": {"x-amzn-requestid": "r"}, "status_code": status}
    return parser.parse(response, _SHAPES.operation_model(operation).output_shape)


@given(st.lists(_ITEMS, max_size=4), _ITEMS)
def test_items__of_all_types__are_read_as_botocore_reads_them(items: list[Any], key: Any) -> None:
    answers = {
        "Query": {"Items": items, "Count": len(items), "LastEvaluatedKey": key},
        "GetItem": {"Item": key},
        "UpdateItem": {"Attributes": key, "ConsumedCapacity": {"CapacityUnits": 1.5}},
        "BatchGetItem": {"Responses": {"t": items}, "UnprocessedKeys": {"u": {"Keys": [key]}}},
        "BatchWriteItem": {"UnprocessedItems": {"t": [{"PutRequest": {"Item": key}}]}},
        "TransactGetItems": {"Responses": [{"Item": key}]},
    }
    for operation, body in answers.items():
        assert _parsed(AnswerParser(), operation, body) == _parsed(JSONParser(), operation, body)


@given(_ITEMS)
def test_the_error_of_a_transaction__with_its_item__is_read_as_botocore_reads_it(item: Any) -> None:
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "cancelled",
        "CancellationReasons": [{"Code": "ConditionalCheckFailed", "Item": item}, {"Code": "None"}],
    }
    ours, theirs = (_parsed(parser, "TransactWriteItems", body, 400) for parser in (AnswerParser(), JSONParser()))
    assert ours == theirs


def test_the_client__when_made__reads_answers_with_it() -> None:
    dynamodb()
    assert PROTOCOL_PARSERS["json"] is AnswerParser
