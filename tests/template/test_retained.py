"""What outlives a stack can be imported into a new one, and the next deployment changes nothing about it."""

from __future__ import annotations

import json

import pytest

from tests.template.conftest import of_type
from tools.retained import IDENTIFIED_BY, import_of, main, retained

TABLES = ("AccountsTable", "ActivityTable", "HistoryTable", "SettingsTable")
NAMES = {name: f"old-{name}" for name in TABLES} | {"CrmSecret": "arn:1", "CrmWebhookSecret": "arn:2"}
NAMES |= {"DatasetBucket": "old-bucket"}


def test_retained__is__all_that_nothing_can_make_again(document, resources):
    assert set(retained(document)) == set(NAMES)
    kinds = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::S3::Bucket")
    assert {name for kind in kinds for name in of_type(resources, kind)} == set(NAMES)
    for name in NAMES:
        assert resources[name]["UpdateReplacePolicy"] == "Retain", name


def test_import__keeps__the_rules_of_cloudformation(document):
    """A template without a transform, whose every resource is imported, has a deletion policy and names no other."""
    template, listed = import_of(document, NAMES)
    assert set(template) == {"AWSTemplateFormatVersion", "Parameters", "Resources"}
    assert template["Parameters"] == {"DatasetDays": document["Parameters"]["DatasetDays"]}
    assert {one["LogicalResourceId"] for one in listed} == set(template["Resources"]) == set(NAMES)
    text = json.dumps(template).replace('{"Ref": "DatasetDays"}', "")
    assert not any(reference in text for reference in ('"Ref"', "Fn::", "DependsOn", '"Condition"'))
    for one in listed:
        resource = template["Resources"][one["LogicalResourceId"]]
        assert resource["DeletionPolicy"] == "Retain"
        assert one["ResourceType"] == resource["Type"]
        assert one["ResourceIdentifier"] == {IDENTIFIED_BY[resource["Type"]]: NAMES[one["LogicalResourceId"]]}


def test_import__describes__what_the_next_deployment_expects(document, resources):
    """So that the deployment after it replaces nothing: no property differs, and no name is given."""
    template, _ = import_of(document, NAMES)
    for name, resource in template["Resources"].items():
        assert resource == resources[name]
        assert not {"BucketName", "TableName", "Name"} & set(resource["Properties"]), name


@pytest.mark.parametrize("names", [["AccountsTable=x"], [*(f"{name}=x" for name in TABLES), "Typo=x"]])
def test_command__with_a_table_forgotten_or_a_name_mistyped__writes_nothing(tmp_path, capsys, names):
    assert main([*names, "--into", str(tmp_path / "import")]) == 1
    assert not (tmp_path / "import").exists()
    assert capsys.readouterr().err


def test_command__with_every_table__writes_both_files(tmp_path):
    assert main([*(f"{name}={given}" for name, given in NAMES.items()), "--into", str(tmp_path)]) == 0
    assert set(json.loads((tmp_path / "template.json").read_text())["Resources"]) == set(NAMES)
    assert len(json.loads((tmp_path / "resources.json").read_text())) == len(NAMES)
