"""The part of CloudFormation's language that the local stack needs: short tags, intrinsic functions, conditions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACCOUNT = "123456789012"
REGION = "eu-west-1"
PARTITION = "aws"

Value = Any
"""Any value of YAML, and `NO_VALUE`."""
NO_VALUE = object()
"""The value of `AWS::NoValue`; a property with this value is left out."""

_TYPES_NAMED_BY = {
    "AWS::Serverless::Function": "FunctionName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
}
_ARN_OF = {
    "AWS::Serverless::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}",
}
_REFERRED_TO_BY_ARN = {"AWS::SNS::Topic", "AWS::SecretsManager::Secret"}
_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")


_YamlLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C, twenty times as fast, where PyYAML was built with it."""


class _Loader(_YamlLoader):  # type: ignore[misc]  # one of two classes
    """YAML with CloudFormation's short tags: `!Ref x` reads as `{"Ref": "x"}`."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


def load(text: str) -> dict[str, Any]:
    """Read a template's YAML, with its short tags written out as CloudFormation's JSON has them."""
    document = yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader with tags added)
    if not isinstance(document, dict):
        raise TypeError("a template is a mapping")
    return document


class Resolver:
    """Turns a template's intrinsic functions into the values they have in the local stack."""

    def __init__(self, document: Mapping[str, Any], stack: str, parameters: Mapping[str, str]) -> None:
        """Take a loaded template, the stack's name, and the parameters whose default is not wanted."""
        self._resources: Mapping[str, Mapping[str, Any]] = document.get("Resources", {})
        self._conditions: Mapping[str, Any] = document.get("Conditions", {})
        self._stack = stack
        self._references: dict[str, Any] = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": PARTITION,
            "AWS::Region": REGION,
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        for name, parameter in document.get("Parameters", {}).items():
            self._references[name] = parameters.get(name, parameter.get("Default", ""))
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": lambda argument: str(argument[0]).join(map(str, self.resolve(argument[1]))),
            "Fn::Split": lambda argument: str(self.resolve(argument[1])).split(argument[0]),
            "Fn::Equals": lambda argument: self.resolve(argument[0]) == self.resolve(argument[1]),
            "Fn::Not": lambda argument: not self.resolve(argument[0]),
            "Fn::And": lambda argument: all(map(self.resolve, argument)),
            "Fn::Or": lambda argument: any(map(self.resolve, argument)),
        }

    def resolve(self, value: Value) -> Value:
        """Resolve all intrinsic functions in a property's value.

        Raises:
            ValueError: an intrinsic function that the local stack does not know, or a name that the template lacks.
        """
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise ValueError(f"the local stack cannot resolve {name}")
        resolved = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not NO_VALUE}

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            raise ValueError(f"the template has no condition {name}")
        return bool(self.resolve(self._conditions[name]))

    def physical_name(self, logical_id: str) -> str:
        """The name of a resource in the local stack: the template's, or one made of the stack's name."""
        resource = self._resources[logical_id]
        given = resource.get("Properties", {}).get(_TYPES_NAMED_BY.get(resource["Type"], ""))
        if given is not None:
            return str(self.resolve(given))
        made = f"{self._stack}-{logical_id}"
        return made.lower() if resource["Type"] == "AWS::S3::Bucket" else made

    def arn(self, logical_id: str) -> str:
        """The Amazon resource name of a resource in the local stack."""
        kind = self._resources[logical_id]["Type"]
        pattern = _ARN_OF.get(kind, "cloudformation:{region}:{account}:{name}")
        name = self.physical_name(logical_id)
        return f"arn:{PARTITION}:" + pattern.format(region=REGION, account=ACCOUNT, name=name)

    def _ref(self, name: str) -> Value:
        if name in self._references:
            return self._references[name]
        if name not in self._resources:
            raise ValueError(f"the template has neither a parameter nor a resource {name}")
        kind = self._resources[name]["Type"]
        if kind in _REFERRED_TO_BY_ARN:
            return self.arn(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.physical_name(name)}"
        return self.physical_name(name)

    def _get_att(self, argument: list[str]) -> str:
        logical_id, attribute = argument
        if logical_id not in self._resources:
            raise ValueError(f"the template has no resource {logical_id}")
        return self.arn(logical_id) if attribute.endswith("Arn") else self.physical_name(logical_id)

    def _sub(self, argument: str | list[Any]) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in local:
                return str(self.resolve(local[name]))
            if "." in name:
                return self._get_att(name.split(".", 1))
            return str(self._ref(name))

        return _VARIABLE.sub(replace, text)

    def _if(self, argument: list[Value]) -> Value:
        name, then, otherwise = argument
        return self.resolve(then if self.condition(name) else otherwise)
