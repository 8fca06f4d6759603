"""Conditions, writes and reads become what DynamoDB's API takes."""

from __future__ import annotations

import pytest

from healthscore.storage import codec, conditions, reads, writes

KEY = codec.key("a#acme", "member")


def test_condition__joined__keeps_names_and_values_of_all():
    one = conditions.all_of(
        conditions.EXISTS,
        conditions.equals("pending", codec.text("held")),
        conditions.any_of(conditions.absent("claimed_until"), conditions.at_most("claimed_until", codec.number(5))),
    )
    assert one.expression == (
        "attribute_exists(#pk) AND #pending = :if_pending AND "
        "(attribute_not_exists(#claimed_until) OR #claimed_until <= :if_claimed_until)"
    )
    assert one.names == ("pk", "pending", "claimed_until", "claimed_until")
    assert one.values == {":if_pending": {"S": "held"}, ":if_claimed_until": {"N": "5"}}


@pytest.mark.parametrize(
    ("condition", "expression", "values"),
    [
        (conditions.unchanged("profile", None), "attribute_not_exists(#profile)", {}),
        (conditions.unchanged("profile", "{}"), "#profile = :if_profile", {":if_profile": {"S": "{}"}}),
        (conditions.version_is(None), "attribute_not_exists(#pk)", {}),
        (conditions.version_is("kx3"), "#v = :if_v", {":if_v": {"S": "kx3"}}),
        (conditions.contains("named", codec.text("acme")), "contains(#named, :if_named)", {":if_named": {"S": "acme"}}),
    ],
)
def test_condition__by_name__is_this_expression(condition, expression, values):
    assert (condition.expression, condition.values) == (expression, values)


def test_update__with_every_clause__names_each_attribute_and_value_once():
    update = writes.update(
        "Accounts",
        KEY,
        conditions.unchanged("profile", "{}"),
        conditions.TAKES_WRITES,
        sets={"profile": codec.text('{"plan":"pro"}')},
        defaults={"since": codec.text("2026-11-20T00:00:00Z")},
        removes=["owner"],
        adds={"forgetting": codec.texts(["ann"])},
        takes={"named": codec.texts(["acme"])},
    )
    assert update.kind == "Update"
    assert update.parameters == {
        "TableName": "Accounts",
        "Key": KEY,
        "UpdateExpression": "SET #profile = :profile, #since = if_not_exists(#since, :since) REMOVE #owner "
        "ADD #forgetting :forgetting DELETE #named :named",
        "ConditionExpression": "#profile = :if_profile "
        "AND attribute_not_exists(#erasing) AND attribute_not_exists(#into)",
        "ExpressionAttributeNames": {
            f"#{name}": name for name in ("erasing", "forgetting", "into", "named", "owner", "profile", "since")
        },
        "ExpressionAttributeValues": {
            ":profile": {"S": '{"plan":"pro"}'},
            ":since": {"S": "2026-11-20T00:00:00Z"},
            ":forgetting": {"SS": ["ann"]},
            ":named": {"SS": ["acme"]},
            ":if_profile": {"S": "{}"},
        },
    }


def test_put__without_conditions__has_no_expressions():
    assert writes.put("Activity", KEY).parameters == {"TableName": "Activity", "Item": KEY}


def test_partition__with_a_stretch_and_a_filter__is_one_query():
    only = conditions.contains("named", codec.text("acme"))
    assert reads.partition("History", "workspace#", between=("a", "b"), attributes=("sk",), only=only) == {
        "TableName": "History",
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "FilterExpression": "contains(#named, :if_named)",
        "ProjectionExpression": "#sk",
        "ExpressionAttributeNames": {"#sk": "sk", "#named": "named"},
        "ExpressionAttributeValues": {
            ":pk": {"S": "workspace#"},
            ":first": {"S": "a"},
            ":last": {"S": "b"},
            ":if_named": {"S": "acme"},
        },
        "ConsistentRead": True,
    }


def test_dumps__of_any_value__is_compact_and_keeps_letters_as_they_are():
    assert codec.dumps({"name": "Müller", "days": [1, 2.5, None]}) == '{"name":"Müller","days":[1,2.5,null]}'
