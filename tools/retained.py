"""Write what CloudFormation needs to take retained tables, secrets and the bucket over into a new stack.

    python -m tools.retained AccountsTable=healthscore-AccountsTable-1ABC … CrmSecret=arn:… --into import/

It writes `template.json`, which has these resources alone, as the first deployment of the new stack has to be an import
of all that its template names; and `resources.json`, which says what each of them is. docs/deploy.md has the steps.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools import ROOT
from tools.local.cloudformation import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDENTIFIED_BY = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Id",
}
"""The types of what is retained, and the property by which an import finds one."""


def retained(document: Mapping[str, Any]) -> dict[str, Any]:
    """The resources of a template that outlive its stack, by logical id."""
    return {name: given for name, given in document["Resources"].items() if given.get("DeletionPolicy") == "Retain"}


def import_of(document: Mapping[str, Any], names: Mapping[str, str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The template of an import, and what is to be imported.

    Args:
        document: the product's template.
        names: the physical name of each resource by its logical id.

    Raises:
        ValueError: a table has no name, or a name stands for nothing that is retained.
    """
    resources = retained(document)
    tables = {name for name, given in resources.items() if given["Type"] == "AWS::DynamoDB::Table"}
    if unknown := names.keys() - resources.keys():
        raise ValueError(f"nothing retained is called {', '.join(sorted(unknown))}; there are {', '.join(resources)}")
    if missing := tables - names.keys():
        raise ValueError(f"say what {', '.join(sorted(missing))} is called: a stack without it would begin empty")
    taken = {name: resources[name] for name in resources if name in names}
    parameters = {
        name: given for name, given in document["Parameters"].items() if f'{{"Ref": "{name}"}}' in json.dumps(taken)
    }
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": taken}
    listed = [
        {
            "ResourceType": given["Type"],
            "LogicalResourceId": name,
            "ResourceIdentifier": {IDENTIFIED_BY[given["Type"]]: names[name]},
        }
        for name, given in taken.items()
    ]
    return template, listed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.retained", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="+", metavar="LogicalId=name")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        template, listed = import_of(_template(), dict(name.split("=", 1) for name in options.names))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    options.into.mkdir(parents=True, exist_ok=True)
    for name, content in (("template.json", template), ("resources.json", listed)):
        (options.into / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


def _template() -> dict[str, Any]:
    return load((ROOT / "template.yaml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
