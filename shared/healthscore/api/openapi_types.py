"""JSON Schemas of the types that routes answer and take."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from functools import cache
from importlib import import_module
from itertools import pairwise
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from healthscore.api import fields, signal_fields
from healthscore.core.contract import MAX_ARR
from healthscore.core.detectors.registry import BY_NAME
from healthscore.http import ids
from healthscore.http.plain import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from pydantic_core import core_schema

REFERENCE = "#/components/schemas/{model}"
_EXACTLY = ConfigDict(extra="forbid")
"""An answer has the fields that are described, and no others."""
_TEXT = {"minLength": 1, "maxLength": MAX_TEXT}
_RULES: Mapping[Callable[..., Any], Mapping[str, Any]] = {
    fields.text: _TEXT,
    fields.email: {"format": "email", "maxLength": fields.MAX_EMAIL},
    fields.day: {"format": "date"},
    fields.instant: {"format": "date-time"},
    fields.day_or_instant: {"anyOf": [{"format": "date"}, {"format": "date-time"}]},
    fields.amount: {"type": ["number", "null"], "minimum": 0, "maximum": MAX_ARR},
    fields.tickets: {"type": ["integer", "boolean", "null"], "minimum": 0, "maximum": fields.MAX_TICKETS},
    fields.user_id: {"minLength": 1, "maxLength": ids.MAX_USER_ID},
    fields.account_id: {"minLength": 1, "maxLength": ids.MAX_ACCOUNT_ID},
    fields.champions: {"maxItems": fields.MAX_CHAMPIONS},
    fields.attributes: {
        "maxProperties": fields.MAX_ATTRIBUTES,
        "propertyNames": _TEXT,
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    },
    fields.event_name: {"minLength": 1, "maxLength": ids.MAX_NAME},
    fields.milestones: {"minItems": 1, "maxItems": fields.MAX_MILESTONES, "uniqueItems": True},
    fields.placeholders: {"maxItems": fields.MAX_PLACEHOLDERS},
    fields.dataset_attributes: {"maxItems": fields.MAX_DATASET_ATTRIBUTES},
    fields.not_counted_ids: {"maxItems": fields.MAX_NOT_COUNTED},
    fields.email_domains: {"maxItems": fields.MAX_NOT_COUNTED},
    fields.name_patterns: {"maxItems": fields.MAX_NOT_COUNTED},
    fields.timezone: {"examples": ["Europe/Paris"]},
    signal_fields.value_events: {"maxItems": signal_fields.MAX_VALUE_EVENTS, "uniqueItems": True},
    signal_fields.group_events: {"minItems": 1, "maxItems": signal_fields.MAX_GROUP_EVENTS, "uniqueItems": True},
    signal_fields.groups: {
        "maxProperties": signal_fields.MAX_GROUPS,
        "propertyNames": {"minLength": 1, "maxLength": signal_fields.MAX_GROUP_NAME},
    },
    signal_fields.own_signals: {},
    signal_fields.quiet_days: {"maxItems": signal_fields.MAX_QUIET_DAYS},
    signal_fields.detectors: {"propertyNames": {"enum": list(BY_NAME)}},
}
"""What a rule of `api.fields` means as JSON Schema."""


_ORDER = {"type": 0, "description": 2, "properties": 3, "required": 4, "additionalProperties": 5}
"""Where a member of a schema stands; all others are 1."""


class UndescribedError(Exception):
    """The description cannot be made; the message says what it lacks, and where to add it."""


def answer_of(function: Callable[..., Any]) -> Any:  # noqa: ANN401  (any type)
    """The return type of a route's function, without a file beside it; so far only type checkers have evaluated it."""
    module = sys.modules[function.__module__]
    return _named(module, function.__annotations__["return"].partition(" | ")[0])


def _named(module: ModuleType, name: str) -> Any:  # noqa: ANN401  (any type)
    """What a name means to the type checker in a module: also what stands under `if TYPE_CHECKING`."""
    for statement in _for_type_checkers(module):
        match statement:
            case ast.ImportFrom(module=str(origin), names=imported):
                for alias in imported:
                    if name == (alias.asname or alias.name):
                        return _imported(origin, alias.name)
            case ast.ClassDef(name=defined) | ast.Assign(targets=[ast.Name(id=defined)]) if defined == name:
                return _defined(module, name, statement)
    return getattr(module, name)


def _imported(origin: str, name: str) -> Any:  # noqa: ANN401  (any type)
    module = import_module(origin)
    if origin.partition(".")[0] != "healthscore":
        return getattr(module, name)
    return import_module(f"{origin}.{name}") if hasattr(module, "__path__") else _named(module, name)


@cache
def _defined(module: ModuleType, name: str, statement: ast.stmt) -> Any:  # noqa: ANN401  (any type)
    """A type that a statement under `if TYPE_CHECKING` defines, made now; always the same one."""
    loaded = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    used = loaded - {name, *dir(builtins)}
    names = {"__name__": module.__name__, **{other: _named(module, other) for other in sorted(used)}}
    code = compile(ast.Module([statement], []), str(module.__file__), "exec", dont_inherit=True)
    exec(code, names)  # noqa: S102  (our own source)
    return names[name]


@cache
def _for_type_checkers(module: ModuleType) -> tuple[ast.stmt, ...]:
    return tuple(
        inner
        for statement in ast.parse(inspect.getsource(module)).body
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
        for inner in statement.body
    )


class _Generator(GenerateJsonSchema):
    """Pydantic's own generator, with the rules of `api.fields`, the text under each field, and no titles."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return {**super().function_before_schema(schema), **_rule(schema["function"]["function"])}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        return {**super().function_after_schema(schema), **_rule(schema["function"]["function"])}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """A type or null; in one schema where that is possible, which reads better than `anyOf`."""
        inner = self.generate_inner(schema["schema"])
        if not isinstance(inner.get("type"), str):
            return inner if "null" in inner.get("type", ()) else {"anyOf": [inner, {"type": "null"}]}
        merged = {**inner, "type": [inner["type"], "null"]}
        if "enum" in inner:
            merged["enum"] = [*inner["enum"], None]
        return merged

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return _described(super().typed_dict_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _described(super().dataclass_schema(schema), schema["cls"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  (the base class's own)
        return False


def _rule(function: Callable[..., Any]) -> Mapping[str, Any]:
    if isinstance(function, fields.Whole):
        return {"minimum": function.lowest, "maximum": function.highest}
    if function not in _RULES:
        raise UndescribedError(f"The rule {function} has no JSON Schema yet: add it to _RULES in {__name__}.")
    return _RULES[function]


def _described(schema: JsonSchemaValue, kind: type) -> JsonSchemaValue:
    """A schema of a class with the texts under its fields; fields without one speak for themselves."""
    texts = _texts(kind)
    properties = {
        name: {**member, "description": texts[name]} if name in texts else member
        for name, member in schema.get("properties", {}).items()
    }
    described = {key: value for key, value in schema.items() if key != "title"}
    return {**described, "description": _one_line(kind.__doc__ or ""), "properties": properties}


def _texts(kind: type) -> dict[str, str]:
    """The string under each field of a class, and of those that it inherits from, on one line."""
    texts: dict[str, str] = {}
    for base in getattr(kind, "__orig_bases__", kind.__bases__):
        if isinstance(base, type):
            texts |= _texts(base)
    definition = _classes(kind.__module__).get(kind.__name__)
    body = [] if definition is None else definition.body
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(string))):
                texts[name] = _one_line(string)
    return texts


@cache
def _classes(module_name: str) -> Mapping[str, ast.ClassDef]:
    if not module_name.startswith("healthscore."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[module_name]))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def json_schemas(answers: Mapping[str, Any], bodies: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schemas of types, and those that they refer to.

    Args:
        answers: types of answers, which hold exactly the fields described, by any name.
        bodies: types of bodies, by any other name.

    Returns:
        Each type's schema by the name given; and the definitions by the names of their classes.
    """
    adapters: list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = [
        *((name, "serialization", _adapter(kind)) for name, kind in answers.items()),
        *((name, "validation", _adapter(kind)) for name, kind in bodies.items()),
    ]
    schemas, definitions = TypeAdapter.json_schemas(adapters, ref_template=REFERENCE, schema_generator=_Generator)
    items = {name: _in_order(schema["items"]) for (name, _), schema in schemas.items()}
    return items, {name: _in_order(schema) for name, schema in sorted(definitions["$defs"].items())}


def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401  (any type)
    # A TypedDict takes its configuration from the type that it stands in, so it has to stand in one.
    listed: Any = GenericAlias(list, (kind,))
    return TypeAdapter(listed, config=_EXACTLY)


def _in_order(schema: Any) -> Any:  # noqa: ANN401  (any part of a schema)
    """A schema with its members in the order in which it is read best."""
    if isinstance(schema, list):
        return [_in_order(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {field: _in_order(member) for field, member in part.items()} if name == "properties" else _in_order(part)
        for name, part in sorted(schema.items(), key=lambda item: _ORDER.get(item[0], 1))
        if (name, part) != ("additionalProperties", True)  # which is so anyway
    }
