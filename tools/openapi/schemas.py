"""JSON Schemas of what is sent and answered, made of the types and the rules that the code checks by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from healthscore.api import event_rules, events, fields
from healthscore.api.schemas import Acknowledgement, Crm, Profile, Snooze, WorkspaceSettings
from healthscore.core.book import MAX_ARR
from healthscore.http import ids
from tools.openapi import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic_core import core_schema

Mode = Literal["validation", "serialization"]
REFERENCE = "#/components/schemas/{model}"
_TEXT = {"minLength": 1, "maxLength": fields.MAX_TEXT}
_ID = {"minLength": 1, "maxLength": ids.MAX_USER_ID}
_RULES: Mapping[Callable[..., Any], Mapping[str, Any]] = {
    fields.text: _TEXT,
    fields.email: {"format": "email", "maxLength": fields.MAX_EMAIL},
    fields.day: {"format": "date"},
    fields.instant: {"format": "date-time"},
    fields.day_or_instant: {"anyOf": [{"format": "date"}, {"format": "date-time"}]},
    fields.amount: {"type": ["number", "null"], "minimum": 0, "maximum": MAX_ARR},
    fields.tickets: {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": fields.MAX_TICKETS},
            {"type": "boolean"},
            {"type": "null"},
        ]
    },
    fields.user_id: _ID,
    fields.champions: {"maxItems": fields.MAX_CHAMPIONS},
    fields.attributes: {
        "maxProperties": fields.MAX_ATTRIBUTES,
        "propertyNames": _TEXT,
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    },
    fields.event_name: {"minLength": 1, "maxLength": ids.MAX_NAME},
    fields.milestones: {"minItems": 1, "maxItems": fields.MAX_MILESTONES, "uniqueItems": True},
    fields.timezone: {},
}
"""What a rule of `api.fields` means as JSON Schema."""


class UndescribedError(Exception):
    """Something is in the code that nobody has described yet; the message says what, and where to do it."""


class _Generator(GenerateJsonSchema):
    """Pydantic's own generator, which also knows what the rules of `api.fields` demand, and gives no titles."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return {**super().function_before_schema(schema), **_rule(schema["function"]["function"])}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        return {**super().function_after_schema(schema), **_rule(schema["function"]["function"])}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  (the base class's own)
        return False


def _rule(function: Callable[..., Any]) -> Mapping[str, Any]:
    if isinstance(function, fields.Whole):
        return {"minimum": function.lowest, "maximum": function.highest}
    if function not in _RULES:
        raise UndescribedError(f"The rule {function} has no JSON Schema yet: add it to _RULES in {__name__}.")
    return _RULES[function]


def requests() -> dict[str, Any]:
    """The schemas of what can be sent, by name, each field with its words."""
    adapters: list[tuple[Any, Mode, TypeAdapter[Any]]] = [
        (model, "validation", TypeAdapter(model))
        for model in (Profile, Crm, WorkspaceSettings, Acknowledgement, Snooze)
    ]
    _, definitions = TypeAdapter.json_schemas(adapters, ref_template=REFERENCE, schema_generator=_Generator)
    schemas = {**_untitled(definitions["$defs"]), "Event": _event(), "EventBatch": _batch()}
    for name, schema in schemas.items():
        for field, described in schema["properties"].items():
            if f"{name}.{field}" not in words.FIELDS:
                raise UndescribedError(
                    f"The field {name}.{field} has no words yet: add them to tools/openapi/words.py."
                )
            described["description"] = words.FIELDS[f"{name}.{field}"]
    return schemas


def answers(models: Sequence[Any]) -> dict[str, Any]:
    """The schemas of answers, by name, those that they consist of included."""
    adapters: list[tuple[Any, Mode, TypeAdapter[Any]]] = [
        (model, "serialization", TypeAdapter(model)) for model in models
    ]
    _, definitions = TypeAdapter.json_schemas(adapters, ref_template=REFERENCE, schema_generator=_Generator)
    return _untitled(definitions["$defs"])


def _untitled(definitions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {key: value for key, value in schema.items() if key != "title"} for name, schema in definitions.items()
    }


def _event() -> dict[str, Any]:
    optional_id = {"type": ["string", "null"], "minLength": 1, "maxLength": ids.MAX_USER_ID}
    described: dict[str, dict[str, Any]] = {
        "event_id": {**optional_id, "maxLength": ids.MAX_EVENT_ID},
        "account_id": {"type": "string", "minLength": 1, "maxLength": ids.MAX_ACCOUNT_ID},
        "name": {"type": "string", "minLength": 1, "maxLength": ids.MAX_NAME},
        "timestamp": {"type": "string", "format": "date-time"},
        "user_id": {**optional_id},
        "anonymous_id": {**optional_id},
        "session_id": {**optional_id},
        "value": {
            "type": ["number", "null"],
            "minimum": -event_rules.MAX_VALUE,
            "maximum": event_rules.MAX_VALUE,
            "default": 1,
        },
        "properties": {"type": ["object", "null"]},
    }
    return {
        "type": "object",
        "description": "One thing that one user did.",
        "properties": {name: described[name] for name in events.FIELDS},
        "required": ["account_id", "name", "timestamp"],
        "additionalProperties": False,
    }


def _batch() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Events, of any accounts, in any order.",
        "properties": {
            "events": {
                "type": "array",
                "items": {"$ref": REFERENCE.format(model="Event")},
                "maxItems": event_rules.MAX_EVENTS,
            }
        },
        "required": ["events"],
        "additionalProperties": False,
    }
