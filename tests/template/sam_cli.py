"""Runs the SAM CLI for tests, and translates the template into the form that CloudFormation gets."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from typing import Any

import pytest

from tests.template.conftest import ROOT

SAM = ROOT / ".cache" / "sam" / "bin"
NEEDS_SAM = [
    pytest.mark.sam,
    pytest.mark.skipif(
        not (SAM / "sam").exists() and os.environ.get("REQUIRE_SAM") != "1",
        reason="needs the SAM CLI: make validate",
    ),
]

TRANSLATE = """
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

template, *parameters = sys.argv[1:]
document = yaml_parse(open(template).read())
for resource in document["Resources"].values():
    for code in ("CodeUri", "ContentUri", "DefinitionUri"):
        if code in resource["Properties"]:
            resource["Properties"][code] = "s3://bucket/key"
values = dict(parameter.split("=", 1) for parameter in parameters)
print(json.dumps(Translator({}, Parser()).translate(document, parameter_values=values)))
"""


def run(*command: str, **variables: str) -> str:
    """Run a command without AWS credentials; returns its output."""
    without = ("AWS_ACCESS", "AWS_SECRET", "AWS_REGION", "AWS_DEFAULT", "AWS_ENDPOINT", "MAKE", "MFLAGS")
    # These AWS_… variables keep the SAM CLI from reading a developer's files of credentials.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    environment |= variables
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def translation(*parameters: str) -> dict[str, Any]:
    """The template as SAM transforms it for CloudFormation, with some parameters given (`Name=value`); to be read."""
    command = [str(SAM / "python"), "-c", TRANSLATE, str(ROOT / "template.yaml"), *parameters]
    document: dict[str, Any] = json.loads(run(*command, AWS_DEFAULT_REGION="us-east-1"))
    return document


def translated(*parameters: str) -> dict[str, Any]:
    """The resources into which SAM translates the template."""
    resources: dict[str, Any] = translation(*parameters)["Resources"]
    return resources
